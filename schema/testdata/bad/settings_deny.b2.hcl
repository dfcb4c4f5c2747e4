b2form {
  deny = "no-expiry" # ERROR: Incorrect value type
}
