b2form {
  required_version = "new" # ERROR: Invalid version constraint
  account_id       = ["x"] # ERROR: Incorrect value type
  allow            = "deletes-data" # ERROR: Incorrect value type
  limits {
    destroy = -1 # ERROR: Incorrect value type
  }
  limits { # ERROR: Duplicate limits
    destory = 1 
  }
}
