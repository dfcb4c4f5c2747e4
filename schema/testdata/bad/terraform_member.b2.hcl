bucket "x" {
  name       = "acme-photos"
  cors_rules = [{
    cors_rule_name     = "downloads" # ERROR: Terraform argument
    name               = "downloads"
    allowed_origins    = ["https"]
    allowed_operations = ["s3_get"]
    max_age_seconds    = 60
  }]
}
