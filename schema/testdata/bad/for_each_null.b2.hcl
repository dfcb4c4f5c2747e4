bucket "photos" {
  for_each = null # ERROR: Incorrect value type
  name     = "acme-${each.key}"
}
