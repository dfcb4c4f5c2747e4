variable "days" {
  default = 0
}

variable "password" {
  default   = "hunter2"
  sensitive = true
}

bucket "photos" {
  name = "acme-photos"
  precondition {
    condition     = var.days > 0 # ERROR: Precondition failed
    error_message = "Give var.days at least one day, not ${var.days}."
  }
  precondition {
    condition     = length(var.password) > 20 # ERROR: Precondition failed
    error_message = "The password ${var.password} is too short."
  }
  precondition {
    condition     = key.app["a"].application_key_id != "" # ERROR: Computed attribute in an argument
    error_message = "There is no key."
  }
}

key "app" {
  name     = "app"
  access   = "read_only"
  buckets  = ["acme-photos"]
  for_each = toset(["a"]) # an instance of its own for each
  precondition {
    condition     = each.key == "b" # ERROR: Precondition failed
    error_message = "Only b will do."
  }
}

bucket "wrong" {
  name = "acme-wrong"
  precondition { # ERROR: Missing required argument
    condition = true
  }
  precondition {
    condition     = "perhaps" # ERROR: Incorrect value type
    error_message = "Never."
  }
  precondition {
    condition     = null # ERROR: Incorrect value type
    error_message = "Never."
  }
  precondition {
    condition     = true
    error_message = "Never."
    summary       = "Never" # ERROR: Unsupported argument
  }
}

bucket "itself" { # ERROR: Reference to itself
  name = "acme-itself"
  precondition {
    condition     = bucket.itself.type == "allPrivate"
    error_message = "Refers to itself."
  }
}

bucket "pasted" {
  name = "acme-pasted"
  precondition = true   # ERROR: Unsupported argument
  preconditions {       # ERROR: Unsupported block type
  }
}

output "photos" {
  value = bucket.photos.id
  precondition {
    condition     = var.days == 1 # ERROR: Precondition failed
    error_message = "One day only."
  }
  postcondition { # ERROR: Unsupported block type
  }
}
