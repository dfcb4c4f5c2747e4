bucket "photos" {
  for_each = toset(["a", "b"])
  name     = "acme-photos" # ERROR: Duplicate name
}
