# A bucket for the state of another tool, and the key of its backend.
variable "bucket_name" {
  type    = string
  default = "example-tofu-state"
}

bucket "state" {
  name = var.bucket_name
  default_server_side_encryption {
    mode      = "SSE-B2"
    algorithm = "AES256"
  }
}

key "backend" {
  name         = "tofu-backend"
  capabilities = ["listBuckets", "readBuckets", "listFiles", "readFiles", "writeFiles", "deleteFiles"]
  buckets      = [bucket.state]
  deliver "file" {
    path   = "backend.env"
    format = "aws"
  }
}
