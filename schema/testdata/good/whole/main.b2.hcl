variable "site" {
  type    = string
  default = "acme"
  validation {
    condition     = can(regex("^[a-z]+$", var.site))
    error_message = "Use lower-case letters only."
  }
}

bucket "photos" {
  name            = "${var.site}-photos-library"
  type            = "allPrivate"                # the default
  info            = { team = "web" }
  lifecycle_rules = keep_only_last_version()
}

bucket "logs" {
  for_each = toset(["edge", "app"])
  name     = "${var.site}-logs-${each.key}"

  lifecycle_rules {                             # a block per element, or `lifecycle_rules = [{...}, {...}]`
    file_name_prefix              = "raw/"
    days_from_uploading_to_hiding = 30
    days_from_hiding_to_deleting  = 1
  }
  prevent_destroy = true
}

key "photos_plus" {
  name        = "photos-plus"
  access      = "read_write"                    # or capabilities = ["listFiles", "readFiles", ...]
  buckets     = [bucket.photos]                 # left out: all buckets, and the plan says so
  name_prefix = "library/"
  list_all_bucket_names = true
  valid_duration        = "90d"                 # or seconds; less than 1000 days

  deliver "file" {
    path = "photos-plus.env"                    # mode 0600; written before the state says "delivered"
  }
}

output "photos_plus" {
  value = {
    "Bucket"   = bucket.photos.name
    "Endpoint" = bucket.photos.s3_endpoint
    "Key ID"   = key.photos_plus.application_key_id
  }
}
