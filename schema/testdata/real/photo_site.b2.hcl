# Photos that every web page may show, and a key that reads them.
variable "domain" {
  default = "example.org"
}

bucket "photos" {
  name = "example-org-photos"
  type = "allPublic"

  cors_rules {
    name               = "allow-sites"
    allowed_origins    = [for host in ["images", "www"] : "https://${host}.${var.domain}"]
    allowed_headers    = ["*"]
    allowed_operations = ["s3_head", "s3_get"]
    max_age_seconds    = 3600
  }

  lifecycle_rules = keep_only_last_version()
}

key "photos_readonly" {
  name         = "${bucket.photos.name}-readonly"
  capabilities = ["listBuckets", "readFiles", "listFiles"]
  buckets      = [bucket.photos]
}
