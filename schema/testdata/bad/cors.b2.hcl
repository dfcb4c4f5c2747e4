bucket "site" {
  name = "acme-site"
  cors_rules {
    name               = "downloads"
    allowed_origins    = ["https", ""] # ERROR: Invalid CORS origin
    allowed_operations = ["s3_get"]
    max_age_seconds    = 60
  }
  cors_rules {
    name               = "uploads"
    allowed_origins    = [null] # ERROR: Invalid CORS origin
    allowed_operations = ["s3_put"]
    allowed_headers    = ["range", null] # ERROR: Invalid CORS header
    expose_headers     = [""] # ERROR: Invalid CORS header
    max_age_seconds    = 60
  }
}
