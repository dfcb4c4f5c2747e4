variable "name" {
  default   = "hunter2!"
  sensitive = true
}
key "x" {
  name   = var.name # ERROR: Invalid key name
  access = "read_only"
}
bucket "x" {
  for_each = toset(["a"])
  name     = "acme-${each.key}-${var.name}" # ERROR: Invalid bucket name
}
