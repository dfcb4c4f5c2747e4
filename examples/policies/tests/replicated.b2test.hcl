run "passes" {
  policies      = ["replicated.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create", "bucket.copy" = "create", "key.reader" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name = "acme-archive"
      replication {
        source {
          key = key.reader
          rules {
            name        = "all"
            destination = bucket.copy
            priority    = 1
          }
        }
      }
    }
    bucket "copy" {
      name = "acme-copy"
    }
    key "reader" {
      name         = "reader"
      capabilities = ["readFiles", "listBuckets"]
    }
  EOT
}

run "fails" {
  policies        = ["replicated.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name = "acme-archive"
    }
  EOT
  expect_failures = [policy.replicated]
}
