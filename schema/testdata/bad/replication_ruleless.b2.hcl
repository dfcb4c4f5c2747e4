bucket "a" {
  name        = "acme-source"
  replication = { source = { key = key.k } } # ERROR: Missing required argument
}

bucket "b" {
  name = "acme-other"
  replication {
    source { # ERROR: Missing required argument
      key = key.k
    }
  }
}

key "k" {
  name   = "copies"
  access = "read_only"
}
