data "b2_application_key" "app" { # ERROR: Unknown kind of data
  key_name = "app"
}

output "bucket" {
  value = data.b2_bucket.photos.bucket_id # ERROR: Undeclared reference
}
