# Joplin synchronises notes through the S3 API.

variable "bucket" {
  type        = string
  description = "Name of the bucket; unique across all of B2."
  default     = "acme-joplin-notes"
}

variable "devices" {
  type        = set(string)
  description = "What synchronises: each gets a key of its own, which can be taken away alone."
  default     = ["desktop"]
}

bucket "notes" {
  name = var.bucket

  # Joplin overwrites in place, and B2 keeps every version unless told otherwise.
  lifecycle_rules = keep_only_last_version()
}

key "joplin" {
  for_each = var.devices

  name    = "${var.bucket}-${each.key}"
  access  = "joplin"
  buckets = [bucket.notes]

  deliver "file" {
    path    = "joplin-${each.key}.txt"
    content = <<-EOT
      S3 bucket:     ${bucket.notes.name}
      S3 URL:        ${bucket.notes.s3_endpoint}
      S3 region:     ${bucket.notes.s3_region}
      S3 access key: ${self.application_key_id}
      S3 secret key: ${self.application_key}
    EOT
  }
}

check "s3" {
  assert {
    condition     = contains(bucket.notes.options, "s3")
    error_message = "Joplin uses the S3 API, which this bucket, made before May 2020, does not have. Take another one."
  }
}

# The words of Joplin's settings screen, for each device.
output "joplin" {
  value = {
    for device, key in key.joplin : device => {
      "S3 bucket"     = bucket.notes.name
      "S3 URL"        = bucket.notes.s3_endpoint
      "S3 region"     = bucket.notes.s3_region
      "S3 access key" = key.application_key_id
      "S3 secret key" = key.application_key
    }
  }
}
