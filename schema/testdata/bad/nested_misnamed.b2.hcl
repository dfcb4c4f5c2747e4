bucket "b" {
  name = "acme-misnamed-one"
  lifecycle_rules {
    days_from_hidding_to_deleting = 1 # ERROR: Unsupported argument
  }
  lifecycle_rules { # ERROR: Lifecycle rule without effect
    file_name_prefix = "tmp/"
  }
}
