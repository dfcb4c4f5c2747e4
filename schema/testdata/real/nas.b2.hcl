# A network drive that backs up and replicates; the lists of capabilities come
# from outside.
variable "capabilities_bucket_admin" {
  type = list(string)
  default = [
    "deleteFiles", "listBuckets", "listFiles", "readBucketEncryption", "readBuckets", "readFiles", "shareFiles",
    "writeBucketEncryption", "writeFiles",
  ]
}

bucket "backup" {
  name = "example-nas-backup"
  default_server_side_encryption { mode = "SSE-B2" }
}

bucket "replica" {
  name = "example-nas-replica"
  default_server_side_encryption { mode = "SSE-B2" }
}

key "backup" {
  name         = "nas-backup"
  buckets      = [bucket.backup]
  capabilities = var.capabilities_bucket_admin
}

key "replicate" {
  name         = "nas-replicate"
  buckets      = [bucket.replica.name]
  capabilities = var.capabilities_bucket_admin
}
