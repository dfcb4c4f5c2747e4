run "passes" {
  policies      = ["cancel_unfinished.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name = "acme-a"
      lifecycle_rules {
        days_from_hiding_to_deleting                           = 1
        days_from_starting_to_canceling_unfinished_large_files = 7
      }
    }
  EOT
}

run "fails" {
  policies        = ["cancel_unfinished.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name            = "acme-a"
      lifecycle_rules = keep_only_last_version()
    }
  EOT
  expect_failures = [policy.cancel_unfinished]
}
