buckets "x" { # ERROR: Unsupported block type
  name = "acme-photos"
}
