# Copies of datasets elsewhere: pruned where the dataset says so, and settings
# that somebody else may change.
locals {
  datasets = {
    media  = { bucket = "example-dr-media", prune = "90d" }
    papers = { bucket = "example-dr-papers", prune = null }
  }
}

bucket "copy" {
  for_each = local.datasets
  name     = each.value.bucket

  dynamic "lifecycle_rules" {
    for_each = each.value.prune == null ? [] : [each.value.prune]
    content {
      days_from_uploading_to_hiding = tonumber(replace(lifecycle_rules.value, "d", ""))
      days_from_hiding_to_deleting  = 1
    }
  }

  ignore_changes = [type, default_retention, default_server_side_encryption]
}

key "copy" {
  for_each     = local.datasets
  name         = "${each.value.bucket}-key"
  capabilities = ["listBuckets", "listFiles", "readFiles", "writeFiles", "deleteFiles"]
  buckets      = [bucket.copy[each.key]]
}
