bucket "x" {
  name = "acme-photos"
  lifecycle_rule { # ERROR: Unsupported block type
    days_from_hiding_to_deleting = 1
  }
}
