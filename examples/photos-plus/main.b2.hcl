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

variable "connected" {
  type        = bool
  description = "Photos+ has built its library, so the bucket need not be empty any more."
  default     = false
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
  name           = var.bucket
  access         = "photos_plus"
  buckets        = [bucket.library]
  name_prefix    = var.file_name_prefix
  valid_duration = var.valid_duration

  deliver "file" {
    path = "photos-plus.env"
  }
}

# Photos+ connects only to an empty bucket.
data "buckets" "found" {
  name_prefix = var.bucket
}

data "files" "library" {
  count  = !var.connected && contains(data.buckets.found.names, var.bucket) ? 1 : 0
  bucket = var.bucket
}

check "empty" {
  assert {
    condition     = alltrue([for files in data.files.library : length(files.names) == 0])
    error_message = "Photos+ needs an empty bucket, and this one holds files. Take another one; or, if they are its library, set connected = true."
  }
}

check "s3" {
  assert {
    condition     = contains(bucket.library.options, "s3")
    error_message = "Photos+ uses the S3 API, which this bucket, made before May 2020, does not have. Take another one."
  }
}

# Files of a public bucket can be read by anybody.
check "private" {
  assert {
    condition     = bucket.library.type == "allPrivate"
    error_message = "The photos can be read by whoever knows their names. B2 makes public buckets only with a verified email address and a payment on record."
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
