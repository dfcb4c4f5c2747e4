# Photos+ Cloud Library keeps photos in a bucket through the S3 API.

variable "bucket" {
  type        = string
  description = "Name of the bucket; unique across all of B2."
  default     = "acme-photos-library"
}

variable "file_name_prefix" {
  type        = string
  description = "Limits the key to files whose names start with this; \"\" is every file."
  default     = ""
}

variable "valid_duration" {
  type        = string
  description = "How long the key lives, such as \"90d\"; null: forever."
  default     = null
}

bucket "library" {
  name            = var.bucket
  type            = "allPrivate"
  lifecycle_rules = keep_only_last_version()

  # B2 encrypts new files by itself. To insist on it:
  # default_server_side_encryption {
  #   mode = "SSE-B2"
  # }

  # Object Lock protects files from deletion and cannot be turned off again:
  # file_lock_enabled = true
  # default_retention {
  #   mode     = "governance"
  #   duration = 30
  #   unit     = "days"
  # }
}

key "photos_plus" {
  name                  = "photos-plus"
  access                = "read_write"
  buckets               = [bucket.library]
  list_all_bucket_names = true
  name_prefix           = var.file_name_prefix
  valid_duration        = var.valid_duration

  deliver "file" {
    path = "photos-plus.env"
  }
}

output "photos_plus" {
  value = {
    "Bucket"   = bucket.library.name
    "Endpoint" = bucket.library.s3_endpoint
    "Key ID"   = key.photos_plus.application_key_id
    "App key"  = key.photos_plus.application_key
  }
}
