# A bucket and a key for each server and service, with one list of capabilities.
locals {
  servers  = toset(["alpha", "beta"])
  services = { git = "forge", mail = "post" }
  capabilities = [
    "deleteFiles", "listBuckets", "listFiles", "readBuckets", "readFiles", "shareFiles", "writeFiles",
  ]
}

bucket "server" {
  for_each = local.servers
  name     = "example-server-${each.key}"
  default_server_side_encryption = { mode = "SSE-B2", algorithm = "AES256" }
  lifecycle_rules                = keep_only_last_version()
}

bucket "service" {
  for_each = local.services
  name     = "example-${each.key}-${each.value}"
  default_server_side_encryption = { mode = "SSE-B2", algorithm = "AES256" }
  lifecycle_rules                = keep_only_last_version()
}

key "server" {
  for_each     = bucket.server
  name         = each.key
  capabilities = local.capabilities
  buckets      = [each.value]
}

key "service" {
  for_each     = bucket.service
  name         = each.key
  capabilities = local.capabilities
  buckets      = [each.value]
}
