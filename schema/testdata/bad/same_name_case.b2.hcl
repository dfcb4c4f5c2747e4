bucket "a" {
  name = "acme-photos"
}

bucket "b" {
  name = "Acme-Photos" # ERROR: Duplicate name
}
