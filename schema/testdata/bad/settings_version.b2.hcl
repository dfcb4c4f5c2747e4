b2form {
  required_version = ">= 99" # ERROR: Unsupported version of b2form
}
