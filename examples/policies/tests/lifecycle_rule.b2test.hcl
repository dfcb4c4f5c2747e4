run "passes" {
  policies      = ["lifecycle_rule.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name            = "acme-a"
      lifecycle_rules = keep_only_last_version()
    }
  EOT
}

run "fails" {
  policies        = ["lifecycle_rule.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name = "acme-a"
    }
  EOT
  expect_failures = [policy.lifecycle_rule]
}
