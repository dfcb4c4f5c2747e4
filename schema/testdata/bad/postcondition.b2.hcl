# Postconditions of resources and data, and preconditions of data.

variable "days" {
  default = 30
}

variable "secret" {
  default   = "hush-hush"
  sensitive = true
}

bucket "photos" {
  for_each = toset(["a"])
  name     = "acme-photos-${each.key}"
  postcondition {
    condition     = self.type == "allPublic" && each.key == "a" # ERROR: Postcondition failed
    error_message = "${self.name} is private."
  }
  postcondition {
    condition     = self.s3_endpoint == "" # not known here
    error_message = "No endpoint."
  }
  postcondition {
    condition     = self.nmae == "x" # ERROR: Invalid reference
    error_message = "Never."
  }
  postcondition {
    condition     = self == null # ERROR: Invalid reference
    error_message = "Never."
  }
  postcondition {
    condition     = count.index == 0 # ERROR: Invalid reference
    error_message = "Never."
  }
  postcondition {
    condition     = "perhaps" # ERROR: Incorrect value type
    error_message = "Never."
  }
  postcondition { # ERROR: Missing required argument
    error_message = "Never."
  }
  precondition {
    condition     = self.name == "x" # ERROR: Invalid reference
    error_message = "Never."
  }
  postcondition {
    condition     = var.secret == self.name # ERROR: Postcondition failed
    error_message = "It is not ${var.secret}."
  }
}

bucket "pasted" {
  name = "acme-pasted"
  lifecycle { # ERROR: Terraform argument
    postcondition {
      condition     = true
      error_message = "Never."
    }
  }
}

data "bucket" "music" {
  name = "acme-music"
  precondition {
    condition     = var.days == 1 # ERROR: Precondition failed
    error_message = "One day only."
  }
}

data "bucket" "books" {
  name = "acme-books"
  precondition {
    condition     = self.name == "x" # ERROR: Invalid reference
    error_message = "Never."
  }
  postcondition {
    condition     = self.nmae == "x" # ERROR: Invalid reference
    error_message = "Never."
  }
  lifecycle { # ERROR: Terraform argument
  }
}

data "account" "this" {
  postcondition {
    condition     = bucket.photos["a"].id == self.account_id # ERROR: Computed attribute in an argument
    error_message = "Never."
  }
}
