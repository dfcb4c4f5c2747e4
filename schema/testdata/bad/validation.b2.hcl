variable "site" { # ERROR: Invalid value of a variable + ERROR: Invalid value of a variable
  default = "ACME"
  validation {
    condition     = can(regex("^[a-z]+$", var.site))
    error_message = "Use lower-case letters only."
  }
  validation {
    condition     = length(local.names) > 0
    error_message = "Names are needed."
  }
  validation {
    condition     = "perhaps" # ERROR: Incorrect value type
    error_message = "No."
  }
  validation { # ERROR: Missing required argument
    condition = true
  }
}
locals {
  names = []
}
