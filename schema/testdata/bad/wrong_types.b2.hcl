bucket "x" {
  name = ["acme-photos"] # ERROR: Incorrect value type
  info = "web" # ERROR: Incorrect value type
  force_destroy = "perhaps" # ERROR: Incorrect value type
  default_server_side_encryption = "SSE-B2" # ERROR: Incorrect value type
  lifecycle_rules = "keep" # ERROR: Incorrect value type
  prevent_destroy = "maybe" # ERROR: Incorrect value type
}
