bucket "photos" {
  name = null # ERROR: Missing required argument
  replication {
    source {
      key = key.both
      rules {
        name        = "copy"
        destination = "acme-copy"
      }
    }
    destination {
      keys {
        source      = key.both
        destination = key.both
      }
    }
  }
}

key "both" {
  name    = "both"
  access  = "read_write"
  buckets = ["acme-photos"]
}
