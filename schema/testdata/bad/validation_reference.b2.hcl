locals {
  least = 1
}

variable "days" {
  default = 3
  validation {
    condition     = var.days > local.least # ERROR: Invalid validation
    error_message = "At least one day."
  }
}
