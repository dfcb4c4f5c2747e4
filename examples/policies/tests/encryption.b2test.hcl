run "passes" {
  policies      = ["encryption.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name = "acme-a"
      default_server_side_encryption {
        mode = "SSE-B2"
      }
    }
  EOT
}

run "fails" {
  policies        = ["encryption.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name = "acme-a"
    }
  EOT
  expect_failures = [policy.encryption]
}
