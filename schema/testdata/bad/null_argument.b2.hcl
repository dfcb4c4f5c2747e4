variable "x" {
  default = null
}

locals {
  found = contains(["on"], var.x) # ERROR: Value cannot be worked out
}

bucket "a" {
  count = contains(["on"], var.x) ? 1 : 0
  name  = "acme-alpha"
}
