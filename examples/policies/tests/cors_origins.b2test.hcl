run "passes" {
  policies      = ["cors_origins.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name       = "acme-a"
      cors_rules = cors_for_downloads(["https://www.example.com"])
    }
  EOT
}

run "fails" {
  policies        = ["cors_origins.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name       = "acme-a"
      cors_rules = cors_for_downloads(["*"])
    }
  EOT
  expect_failures = [policy.cors_origins]
}
