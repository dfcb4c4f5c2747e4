bucket "x" {
  name = "acme-photos"
  lifecycle_rules {
    file_name_prefix             = "z/"
    days_from_hiding_to_deleting = 0 # ERROR: Invalid number
  }
  lifecycle_rules {
    file_name_prefix             = "a/"
    days_from_hiding_to_deleting = 1
  }
}
bucket "y" {
  name = "acme-videos"
  lifecycle_rules = [
    { file_name_prefix = "z/" }, # ERROR: Lifecycle rule without effect
    { file_name_prefix = "a/", days_from_hiding_to_deleting = 1 },
    { file_name_prefix = "a/", days_from_hiding_to_deleting = 1 }, # ERROR: Duplicate lifecycle rule
  ]
}
