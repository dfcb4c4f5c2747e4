# A secret is kept nowhere, so a condition on it would never be judged.

locals {
  secret = key.app.application_key
  both   = { id = key.app.application_key_id, secret = local.secret }
}

key "app" {
  name   = "acme-app"
  access = "read_only"
  deliver "file" {
    path = "app.env"
  }
  postcondition {
    condition     = self.application_key == "x" # ERROR: Secret in a condition
    error_message = "Never."
  }
  postcondition {
    condition     = length(self.application_key_id) > 9 || length(key.app.application_key) > 9 # ERROR: Secret in a condition
    error_message = "Never."
  }
  postcondition {
    condition     = self.application_key_id != "x" # not known here
    error_message = "The key is ${self.application_key}." # ERROR: Secret in a condition
  }
  postcondition {
    condition     = length(local.both.secret) > 9 # ERROR: Secret in a condition
    error_message = "Never."
  }
  postcondition {
    condition     = local.both.id != "x"
    error_message = "Never."
  }
}

# The label is no attribute.
key "application_key" {
  count  = 2
  name   = "acme-${count.index}"
  access = "read_only"
  deliver "file" {
    path = "${count.index}.env"
  }
  postcondition {
    condition     = key.application_key[0].name != ""
    error_message = "Never."
  }
}

output "secret" {
  value     = local.secret
  sensitive = true
  precondition {
    condition     = key.app.application_key == "x" # ERROR: Secret in a condition
    error_message = "Never."
  }
  precondition {
    condition     = alltrue([for s in key.application_key[*].application_key : s != ""]) # ERROR: Secret in a condition
    error_message = "Never."
  }
  precondition {
    condition     = one(slice(key.application_key, 0, 1)).application_key_id != ""
    error_message = "Never."
  }
}

check "secret" {
  assert {
    condition     = key.application_key[1].application_key == "x" # ERROR: Secret in a condition
    error_message = "Never."
  }
}
