run "passes" {
  policies      = ["keys_limited_to_buckets.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create", "key.a" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name = "acme-a"
    }
    key "a" {
      name    = "a"
      access  = "read_only"
      buckets = [bucket.a]
    }
  EOT
}

run "fails" {
  policies        = ["keys_limited_to_buckets.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    key "a" {
      name   = "a"
      access = "read_only"
    }
  EOT
  expect_failures = [policy.keys_limited_to_buckets]
}
