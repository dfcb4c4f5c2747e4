run "passes" {
  policies      = ["default_retention.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name              = "acme-a"
      file_lock_enabled = true
      default_retention {
        mode     = "governance"
        duration = 30
        unit     = "days"
      }
    }
  EOT
}

run "fails" {
  policies        = ["default_retention.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name              = "acme-a"
      file_lock_enabled = true
    }
  EOT
  expect_failures = [policy.default_retention]
}
