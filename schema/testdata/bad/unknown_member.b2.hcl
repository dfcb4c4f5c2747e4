bucket "x" {
  name            = "acme-photos"
  lifecycle_rules = [
    { file_name_prefix = "a/", days_from_hiding_to_deleting = 1 },
    {
      file_name_prefix = "b/"
      days_from_hiding_to_deletin = 1 # ERROR: Unsupported argument
      days_from_hiding_to_deleting = 1
    },
  ]
}
