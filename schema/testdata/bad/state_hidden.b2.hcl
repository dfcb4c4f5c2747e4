b2form {
  backend "b2" {
    bucket = "acme-states"
  }
}

bucket "states" {
  name = "acme-states"
  lifecycle_rules {
    file_name_prefix             = "logs/"
    days_from_hiding_to_deleting = 1
  }
  lifecycle_rules { # ERROR: A lifecycle rule would delete the state
    file_name_prefix              = "b2form/prod"
    days_from_uploading_to_hiding = 3
  }
  lifecycle_rules {
    file_name_prefix              = "a/"
    days_from_uploading_to_hiding = 3
  }
}
