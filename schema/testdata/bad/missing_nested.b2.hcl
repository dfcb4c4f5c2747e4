bucket "x" {
  name = "acme-photos"
  cors_rules { # ERROR: Missing required argument
    name               = "downloads"
    allowed_operations = ["s3_get"]
    max_age_seconds    = 60
  }
}
bucket "y" {
  name = "acme-videos"
  cors_rules = [
    { # ERROR: Missing required argument
      name               = "downloads"
      allowed_operations = ["s3_get"]
      allowed_origins    = ["https"]
    },
  ]
}
