data "b2_application_key" "app" { # ERROR: Unknown kind of data
  key_name = "app"
}

output "bucket" {
  value = data.b2_bucket.photos.bucket_id # ERROR: Undeclared reference
}

data "b2_bucket_files" "all" { # ERROR: Unknown kind of data
  bucket_id = "8d625eb63be2775577c70e01"
}

data "b2_bucket_file_signed_url" "index" { # ERROR: Unknown kind of data
  bucket_id = "8d625eb63be2775577c70e01"
}

data "terraform_remote_state" "net" { # ERROR: Unknown kind of data
  backend = "local"
}
