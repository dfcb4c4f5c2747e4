resource "b2_bucket_file_version" "index" { # ERROR: Terraform block
  bucket_id    = b2_bucket.site.id # ERROR: Terraform argument
  file_name    = "index.html" # ERROR: Terraform argument
  source       = "index.html"
  content_type = "text/html"
  file_info = { # ERROR: Terraform argument
    description = "the page"
  }
  server_side_encryption {
    mode      = "SSE-B2"
    algorithm = "AES256"
    key { # ERROR: Terraform argument
      key_id = "k"
    }
  }
}
file "typo" {
  bucket  = "acme-site"
  nam     = "index.html" # ERROR: Unsupported argument
  content = ""
}
