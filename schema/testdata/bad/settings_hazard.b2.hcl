b2form {
  allow = ["deletes data", "exposes-file"] # ERROR: Unknown hazard
}
