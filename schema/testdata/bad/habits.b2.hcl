locals {
  least = 3
}

bucket "photos" {
  name = "acme-photos"
}

variable "days" {
  default = 3 # the place of a value that is not valid is the variable's
  validation {
    condition     = var.days > 0 && bucket.photos.id != "" # ERROR: Computed attribute in an argument
    error_message = "At least one day."
  }
}

variable "weeks" { # ERROR: Invalid value of a variable
  default = 3
  validation {
    condition     = var.weeks > local.least && startswith(bucket.photos.name, "acme")
    error_message = "More than ${local.least} weeks."
  }
}

variable "count" { # ERROR: Reserved name
  default = 1
}

variable "quoted" {
  type    = "list(string)" # ERROR: Type in quotes
  default = []
}

key "camera" {
  name   = "camera"
  access = "read_only"
  dynamic "deliver" { # ERROR: Unsupported block type
    for_each = ["a.env"]
    content {
      path = deliver.value
    }
  }
}

import {
  to = b2_bucket.photos # ERROR: Invalid import
  id = "acme-photos"
}

output "given_up" {
  value = [list("a"), map("a", 1), type(1)] # ERROR: Error in function call + ERROR: Error in function call + ERROR: Error in function call
}
