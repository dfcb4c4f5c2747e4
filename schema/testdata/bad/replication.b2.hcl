bucket "neither" {
  name        = "acme-neither"
  replication = {} # ERROR: Replication of nothing
}
bucket "no_rules" {
  name = "acme-no-rules"
  replication {
    source { # ERROR: Missing required argument
      key = "reader"
    }
  }
}
bucket "empty" {
  name = "acme-empty"
  replication = {
    source = {
      key   = "reader"
      rules = [] # ERROR: Replication without rules
    }
  }
}
bucket "no_key" {
  name = "acme-no-key"
  replication {
    source { # ERROR: Missing required argument
      rules {
        name        = "copy"
        destination = "acme-copy"
      }
    }
  }
}
bucket "three" {
  name = "acme-three"
  replication {
    source {
      key = "reader"
      rules { # ERROR: Too many replication rules
        name        = "one"
        destination = "acme-copy"
      }
      rules {
        name        = "two"
        destination = "acme-copy"
      }
      rules {
        name        = "three"
        destination = "acme-copy"
      }
    }
  }
}
bucket "values" {
  name = "acme-values"
  replication {
    source {
      key = "key.reader" # ERROR: Invalid key
      rules {
        name        = "my copy" # ERROR: Invalid replication rule name
        destination = "copy"    # ERROR: Invalid bucket name
        priority    = 2147483648 # ERROR: Invalid priority
      }
    }
  }
}
bucket "twice" {
  name = "acme-twice"
  replication {
    source {
      key = "reader"
      rules {
        name        = "copy"
        destination = "acme-copy"
        priority    = 0 # WARNING: Priority below the documented range
      }
      rules {
        name        = "copy" # ERROR: Duplicate replication rule
        destination = "acme-others"
      }
    }
    destination {
      keys {
        source      = "0012ab34cd56ef00000000001"
        destination = "writer"
      }
      keys {
        source      = "0012ab34cd56ef00000000001" # ERROR: Duplicate source key
        destination = "other"
      }
    }
  }
}
bucket "itself" {
  name = "acme-itself"
  replication {
    source {
      key = "reader"
      rules {
        name        = "copy"
        destination = "ACME-itself" # ERROR: Bucket replicates into itself
      }
    }
  }
}
bucket "a_map" {
  name = "acme-a-map"
  replication = {
    destination = {
      keys = { "0012ab34cd56ef00000000001" = "writer" } # ERROR: Incorrect value type
    }
  }
}
bucket "misspelt" {
  name = "acme-misspelt"
  replication {
    source {
      key_id = "reader" # ERROR: Unsupported argument
      rule { # ERROR: Unsupported block type
        name = "copy"
      }
    }
  }
}
