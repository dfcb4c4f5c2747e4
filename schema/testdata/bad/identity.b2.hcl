bucket "x" {
  name = "acme-photos"
}
bucket "y" {
  name = "Acme-Photos" # ERROR: Duplicate name
}
key "x" {
  for_each = toset(["a", "b"])
  name     = "app" # ERROR: Duplicate name
  access   = "read_only"
}
