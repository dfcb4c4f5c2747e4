bucket "photos" {
  for_each = ["a", "b"] # ERROR: Incorrect value type
  name     = "acme-${each.key}"
}
