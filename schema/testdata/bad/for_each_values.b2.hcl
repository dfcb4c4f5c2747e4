variable "secret" {
  default   = ["a"]
  type      = set(string)
  sensitive = true
}
bucket "list" {
  for_each = ["a"] # ERROR: Incorrect value type
  name     = "acme-${each.key}"
}
bucket "null" {
  for_each = null # ERROR: Incorrect value type
  name     = "acme-${each.key}"
}
bucket "number" {
  for_each = 3 # ERROR: Incorrect value type
  name     = "acme-${each.key}"
}
bucket "numbers" {
  for_each = toset([1, 2]) # ERROR: Incorrect value type
  name     = "acme-${each.key}"
}
bucket "secret" {
  for_each = var.secret # ERROR: Sensitive instances
  name     = "acme-${each.key}"
}
