# Joplin synchronises notes through the S3 API.

variable "bucket" {
  type        = string
  description = "Name of the bucket; unique across all of B2."
  default     = "acme-joplin-notes"
}

bucket "notes" {
  name = var.bucket

  # Joplin overwrites in place, and B2 keeps every version unless told otherwise.
  lifecycle_rules = keep_only_last_version()
}

key "joplin" {
  name         = "joplin"
  buckets      = [bucket.notes]
  capabilities = ["listBuckets", "listFiles", "readFiles", "writeFiles", "deleteFiles"]

  deliver "file" {
    path    = "joplin-settings.txt"
    content = <<-EOT
      S3 bucket:     ${bucket.notes.name}
      S3 URL:        ${bucket.notes.s3_endpoint}
      S3 region:     ${bucket.notes.s3_region}
      S3 access key: ${self.application_key_id}
      S3 secret key: ${self.application_key}
    EOT
  }
}

# The words of Joplin's settings screen.
output "joplin" {
  value = {
    "S3 bucket"     = bucket.notes.name
    "S3 URL"        = bucket.notes.s3_endpoint
    "S3 region"     = bucket.notes.s3_region
    "S3 access key" = key.joplin.application_key_id
    "S3 secret key" = key.joplin.application_key
  }
}
