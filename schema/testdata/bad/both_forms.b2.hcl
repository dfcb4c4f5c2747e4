bucket "x" {
  name            = "acme-photos"
  lifecycle_rules = []
  lifecycle_rules { # ERROR: Argument and block at once
    days_from_hiding_to_deleting = 1
  }
}
