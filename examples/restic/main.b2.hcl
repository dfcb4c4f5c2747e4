# restic backs a server up every night, with a key that is renewed on its own.

variable "bucket" {
  type        = string
  description = "Name of the bucket; unique across all of B2."
  default     = "acme-restic-server"
}

bucket "backups" {
  name = var.bucket

  # restic hides what it deletes; B2 keeps hidden files unless told otherwise.
  lifecycle_rules = keep_only_last_version()
}

key "restic" {
  name    = var.bucket
  access  = "restic"
  buckets = [bucket.backups]

  rotate {
    every   = "90d" # a new key four times a year
    overlap = "2d"  # a backup under way ends with the key it began with
  }

  deliver "file" {
    path    = "restic.env"
    content = <<-EOT
      B2_ACCOUNT_ID=${self.application_key_id}
      B2_ACCOUNT_KEY=${self.application_key}
      RESTIC_REPOSITORY=b2:${bucket.backups.name}:server
    EOT
  }
}
