bucket "x" {
  name = "acme-photos"
  id   = "abc" # ERROR: Computed attribute
}
