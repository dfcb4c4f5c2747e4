# Backups of a cluster: one bucket, unfinished uploads are cleaned up, and the
# endpoint that the backup program is given.
bucket "backups" {
  name = "example-cluster-backups"
  lifecycle_rules {
    days_from_hiding_to_deleting                           = 1
    days_from_starting_to_canceling_unfinished_large_files = 7
  }
}

key "velero" {
  name         = "velero"
  capabilities = ["listBuckets", "listFiles", "readFiles", "writeFiles", "deleteFiles"]
  buckets      = [bucket.backups]
  list_all_bucket_names = true
  deliver "file" {
    path    = "velero/credentials"
    content = <<-TEXT
      [default]
      aws_access_key_id=${self.application_key_id}
      aws_secret_access_key=${self.application_key}
    TEXT
  }
}

output "velero" {
  value = {
    url    = bucket.backups.s3_endpoint
    region = bucket.backups.s3_region
    key_id = key.velero.application_key_id
  }
}
