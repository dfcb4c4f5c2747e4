variable "name" {
  default   = "hunter2!"
  sensitive = true
}
key "x" {
  name   = var.name # ERROR: Sensitive name
  access = "read_only"

  deliver "file" {
    path = "${var.name}.env" # ERROR: Sensitive value
  }
}
bucket "x" {
  for_each = toset(["a"])
  name     = "acme-${each.key}-${var.name}" # ERROR: Sensitive name
}
bucket "y" {
  name            = "acme-photos"
  info            = { n = parseint(var.name, 10) }         # ERROR: Invalid function argument
  lifecycle_rules = [{ for x in [var.name] : x => "days" }] # ERROR: Unsupported argument
}
import {
  to = bucket.y
  id = var.name # ERROR: Sensitive id
}
data "bucket" "z" {
  name = var.name # ERROR: Sensitive name
}
