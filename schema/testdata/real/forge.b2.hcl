# Two services of one household. Where the other tool wants 0 days for "never",
# the argument is left out.
locals {
  services = ["gitea", "restic"]
}

bucket "service" {
  for_each = toset(local.services)
  name     = "example-${each.key}"
  default_server_side_encryption {
    mode = "SSE-B2"
  }
  lifecycle_rules {
    file_name_prefix             = ""
    days_from_hiding_to_deleting = 1
  }
}

key "service" {
  for_each = bucket.service
  name     = each.key
  buckets  = [each.value]
  capabilities = [
    "readFiles", "deleteFiles", "listBuckets", "listFiles", "readBucketEncryption", "readBucketReplications",
    "readBuckets", "shareFiles", "writeBucketEncryption", "writeBucketReplications", "writeFiles",
  ]
}
