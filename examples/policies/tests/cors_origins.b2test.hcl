run "passes" {
  policies      = ["cors_origins.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name       = "acme-a"
      cors_rules = cors_for_downloads(["https://www.example.com", "https://*.example.com:8443"])
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

run "fails_with_the_protocol_alone" {
  policies        = ["cors_origins.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name       = "acme-a"
      cors_rules = cors_for_downloads(["https"])
    }
  EOT
  expect_failures = [policy.cors_origins]
}

run "fails_with_a_port" {
  policies        = ["cors_origins.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name       = "acme-a"
      cors_rules = cors_for_downloads(["https://*:8443"])
    }
  EOT
  expect_failures = [policy.cors_origins]
}
