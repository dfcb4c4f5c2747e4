run "passes" {
  policies      = ["few_keys_per_bucket.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create", "key.a[0]" = "create", "key.a[1]" = "create", "key.a[2]" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name = "acme-a"
    }
    key "a" {
      name    = "a-$${count.index}"
      count   = 3
      access  = "read_only"
      buckets = [bucket.a]
    }
  EOT
}

run "fails" {
  policies        = ["few_keys_per_bucket.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name = "acme-a"
    }
    key "a" {
      name    = "a-$${count.index}"
      count   = 4
      access  = "read_only"
      buckets = [bucket.a]
    }
  EOT
  expect_failures = [policy.few_keys_per_bucket]
}
