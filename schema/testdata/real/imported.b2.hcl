# Buckets that somebody clicked together, now written down.
import {
  to = bucket.home
  id = "example-home"
}

import {
  to = key.home_rw
  id = "0042039f49f5ead0000000007"
}

bucket "home" {
  name            = "example-home"
  lifecycle_rules = keep_only_last_version()
}

key "home_rw" {
  name    = "example-home-rw"
  buckets = [bucket.home]
  capabilities = [
    "deleteFiles", "listBuckets", "listFiles", "readBucketEncryption", "readBucketNotifications",
    "readBucketReplications", "readBuckets", "readFiles", "shareFiles", "writeBucketEncryption",
    "writeBucketNotifications", "writeBucketReplications", "writeFiles",
  ]
}
