bucket "x" {
  name = "acme-photos"
  lifecycle_rules = [
    null, # ERROR: Invalid element
  ]
}
