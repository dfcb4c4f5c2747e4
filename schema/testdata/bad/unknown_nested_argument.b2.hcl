bucket "x" {
  name = "acme-photos"
  lifecycle_rules {
    days_from_hiding_to_delete = 1 # ERROR: Unsupported argument
    days_from_hiding_to_deleting = 1
  }
}
