bucket "x" {
  name            = "acme-photos"
  lifecycle_rules = { days_from_hiding_to_deleting = 1 } # ERROR: Incorrect value type
}
