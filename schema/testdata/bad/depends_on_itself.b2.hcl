bucket "logs" { # ERROR: Reference to itself
  name       = "acme-logs"
  depends_on = [bucket.logs]
}
