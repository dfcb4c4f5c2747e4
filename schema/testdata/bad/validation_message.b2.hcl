variable "days" { # ERROR: Invalid value of a variable
  default = 0 # what is wrong is said of the block
  validation {
    condition     = var.days > 0
    error_message = "At least one day."
  }
}
variable "hours" { # ERROR: Invalid value of a variable
  default = 0
  validation {
    condition     = var.hours > 0
    error_message = null # ERROR: Incorrect value type
  }
}
