resource "b2_bucket" "x" { # ERROR: Terraform block
  bucket_name = "acme-photos" # ERROR: Terraform argument
  bucket_type = "allPrivate" # ERROR: Terraform argument
  bucket_info = {} # ERROR: Terraform argument
  file_lock_configuration { # ERROR: Terraform argument
    is_file_lock_enabled = true
  }
  cors_rules {
    cors_rule_name = "downloads" # ERROR: Terraform argument
  }
  default_server_side_encryption {
    mode = "SSE-B2"
  }
  lifecycle { # ERROR: Terraform argument
    prevent_destroy = true
  }
}
