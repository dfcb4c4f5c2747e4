bucket "x" {
  name = "acme-photos"
  dynamic "lifecycle_rule" { # ERROR: Unsupported block type
    for_each = []
    content {}
  }
  dynamic "lifecycle_rules" {
    for_each = { a = 1, b = 0 }
    content {
      file_name_prefix             = lifecycle_rules.key
      days_from_hiding_to_deleting = lifecycle_rules.value # ERROR: Invalid number
      prefix = "x" # ERROR: Unsupported argument
    }
  }
}
bucket "y" {
  name = "acme-videos"
  dynamic "lifecycle_rules" {
    for_each = 3 # ERROR: Invalid dynamic for_each value
    content {
      days_from_hiding_to_deleting = 1
    }
  }
}
