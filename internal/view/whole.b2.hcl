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
  info            = { team = "web" }
  lifecycle_rules = keep_only_last_version()
}

bucket "logs" {
  for_each = toset(["edge", "app"])
  name     = "${var.site}-logs-${each.key}"

  lifecycle_rules { # a block for each element, or lifecycle_rules = [{ … }, { … }]
    file_name_prefix              = "raw/"
    days_from_uploading_to_hiding = 30
    days_from_hiding_to_deleting  = 1
  }
  prevent_destroy = true
}

key "photos_plus" {
  name           = "photos-plus"
  access         = "read_write"    # or for an application: "restic"; or capabilities = ["listBuckets", …]
  buckets        = [bucket.photos] # left out: every bucket, and the plan says so
  name_prefix    = "library/"
  valid_duration = "90d"

  deliver "file" {
    path = "photos-plus.env" # only its owner may read it
  }
}

output "photos_plus" {
  value = {
    "Bucket"   = bucket.photos.name
    "Endpoint" = bucket.photos.s3_endpoint
    "Key ID"   = key.photos_plus.application_key_id
  }
}
