variable "x" {
  default = null
}

locals {
  found = contains(["on"], var.x) # ERROR: Invalid function argument
}

bucket "a" {
  count = contains(["on"], var.x) ? 1 : 0 # ERROR: Invalid function argument
  name  = "acme-alpha"
}
