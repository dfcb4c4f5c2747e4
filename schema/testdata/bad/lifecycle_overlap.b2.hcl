bucket "x" {
  name = "acme-photos"
  lifecycle_rules {
    days_from_hiding_to_deleting = 1
  }
  lifecycle_rules { # WARNING: Overlapping lifecycle rules
    file_name_prefix             = "a/"
    days_from_hiding_to_deleting = 2
  }
}
