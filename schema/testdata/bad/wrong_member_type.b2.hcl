bucket "x" {
  name = "acme-photos"
  lifecycle_rules = [
    {
      days_from_hiding_to_deleting = "soon" # ERROR: Incorrect value type
    },
    "rule", # ERROR: Incorrect value type
  ]
}
bucket "y" {
  name = "acme-videos"
  lifecycle_rules {
    days_from_hiding_to_deleting = "soon" # ERROR: Incorrect value type
  }
}
