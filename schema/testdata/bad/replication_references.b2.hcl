bucket "photos" {
  name = "acme-photos"
  info = { copies = bucket.copy.replication.source.key } # ERROR: Attribute that is set last
  replication {
    source {
      key = bucket.copy # ERROR: Incorrect value type
      rules {
        name        = "copy"
        destination = key.reader # ERROR: Incorrect value type
      }
    }
  }
}
bucket "copy" {
  name = "acme-copy"
  replication {
    destination {
      keys = [{ source = key.reader.application_key_id, destination = key.writer }] # ERROR: Computed attribute in an argument
    }
  }
}
bucket "whole" {
  name        = "acme-whole"
  info        = { key = local.copy.replication.source.key } # ERROR: Attribute that is set last
  replication = local.copy.replication                      # ERROR: Attribute that is set last
}
bucket "unknown" {
  name = "acme-unknown"
  replication {
    source {
      key = key.redaer # ERROR: Undeclared reference
      rules {
        name        = "copy"
        destination = bucket.copy
      }
    }
  }
}
locals {
  copy = bucket.copy
}
key "reader" {
  name         = "reader"
  capabilities = ["readFiles"]
  buckets      = [bucket.photos]
}
key "writer" {
  name         = "writer"
  capabilities = ["writeFiles"]
  buckets      = [bucket.copy]
}
