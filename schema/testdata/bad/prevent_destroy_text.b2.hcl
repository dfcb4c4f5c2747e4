bucket "logs" {
  name            = "acme-logs"
  prevent_destroy = "perhaps" # ERROR: Incorrect value type
}
