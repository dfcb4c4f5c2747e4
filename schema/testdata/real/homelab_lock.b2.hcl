# What is written may not be deleted for ninety days.
data "account" "this" {}

bucket "dr" {
  name = "example-homelab-dr"
  info = {
    project     = "homelab"
    environment = "production"
    managed-by  = "b2form"
  }
  default_server_side_encryption {
    algorithm = "AES256"
    mode      = "SSE-B2"
  }
  file_lock_enabled = true
  default_retention {
    mode     = "governance"
    duration = 90
    unit     = "days"
  }
  lifecycle_rules {
    days_from_uploading_to_hiding = 30
    days_from_hiding_to_deleting  = 30
  }
}

key "dr" {
  name         = "homelab-dr-key"
  buckets      = [bucket.dr]
  capabilities = ["listBuckets", "listFiles", "readFiles", "writeFiles", "deleteFiles"]
}

output "endpoint" {
  value = data.account.this.s3_endpoint
}
