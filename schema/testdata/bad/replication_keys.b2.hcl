bucket "photos" {
  name = "acme-photos"
  replication {
    source {
      key = key.reader # WARNING: Key of another bucket
      rules {
        name             = "library"
        destination      = bucket.copy
        file_name_prefix = "library/"
      }
      rules {
        name        = "elsewhere"
        destination = bucket.other # WARNING: Destination does not take the copies
      }
    }
  }
}
bucket "copy" {
  name = "acme-copy"
  replication {
    destination {
      keys = [
        { source = "reader", destination = key.weak }, # WARNING: Key cannot replicate
      ]
    }
  }
}
bucket "other" {
  name = "acme-other"
  replication {
    source {
      key = key.part # WARNING: Key does not reach all files
      rules {
        name        = "copy"
        destination = "8d625eb63be2775577c70e1a"
      }
    }
  }
}
bucket "short" {
  name = "acme-short"
  replication {
    source {
      key = key.short # WARNING: Replication ends with its key
      rules {
        name        = "copy"
        destination = "8d625eb63be2775577c70e1a"
      }
    }
  }
}
key "reader" {
  name         = "reader"
  capabilities = ["readFiles"]
  buckets      = [bucket.copy]
}
key "weak" {
  name         = "weak"
  capabilities = ["readFiles"]
}
key "part" {
  name         = "part"
  capabilities = ["readFiles"]
  name_prefix  = "library/"
}
key "short" {
  name           = "short"
  capabilities   = ["readFiles"]
  valid_duration = "90d"
}
