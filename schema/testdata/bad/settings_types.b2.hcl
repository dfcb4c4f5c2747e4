b2form {
  required_version = "new" # ERROR: Invalid version constraint
  account_id       = ["x"] # ERROR: Incorrect value type
  allow            = "deletes-data" # ERROR: Incorrect value type
}
