variable "bucket" {
  default = "ACME-photos"
}

data "bucket" "photos" {
  name = var.bucket
}

data "bucket" "each" {
  for_each = toset(["photos", "logs"])
  name     = "acme-${each.key}"
}

data "buckets" "all" {}

data "buckets" "logs" {
  name_prefix = "acme-l"
  precondition {
    condition     = data.bucket.photos.name == "acme-photos"
    error_message = "There are no photos."
  }
  postcondition {
    condition     = length(self.names) > 0 && alltrue([for b in self.buckets : startswith(b.name, "acme-l")])
    error_message = "There are no logs."
  }
}

data "key" "camera" {
  name = "camera"
}

data "key" "twin" {
  application_key_id = "004d2e6b27577ea0000000004"
}

data "keys" "all" {}

data "account" "this" {}

key "reader" {
  for_each    = { for b in data.buckets.all.buckets : b.name => b }
  name        = "reader-${each.key}"
  access      = "read_only"
  buckets     = [each.value]
  name_prefix = data.key.camera.name_prefix
}

bucket "beside" {
  name = "${data.bucket.photos.name}-2"
  info = merge(data.bucket.photos.info, { id = data.bucket.photos.id, region = data.account.this.s3_region })
}

key "beside" {
  name    = "beside"
  access  = "read_only"
  buckets = [data.bucket.each["logs"], data.bucket.photos]
}

output "all" {
  value = {
    logs    = data.buckets.logs.names
    keys    = data.keys.all.names
    twin    = data.key.twin.application_key_id
    secret  = data.key.twin.application_key
    account = data.account.this
  }
}

data "files" "photos" {
  bucket      = data.bucket.photos
  name_prefix = "a/"
  max_count   = 3
}

data "file" "one" {
  for_each = toset(data.files.photos.names)
  bucket   = "acme-photos"
  name     = each.value
}

data "notification_rules" "photos" {
  bucket = data.bucket.photos
}

file "copy" {
  bucket  = data.bucket.photos
  name    = "copy-of-${basename(data.files.photos.names[0])}"
  content = jsonencode(data.file.one["a/1.txt"].info)
}

output "files" {
  value = {
    names    = data.files.photos.names
    complete = data.files.photos.complete
    sizes    = [for f in data.files.photos.files : f.size]
    rules    = data.notification_rules.photos.rules
  }
}
