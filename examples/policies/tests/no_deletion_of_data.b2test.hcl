run "passes" {
  policies      = ["no_deletion_of_data.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name            = "acme-a"
      lifecycle_rules = keep_only_last_version()
    }
  EOT
}

run "exists" {
  configuration        = <<-EOT
    bucket "a" {
      name = "acme-a"
    }
  EOT
  second_plan_is_empty = true
}

run "fails" {
  policies        = ["no_deletion_of_data.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name            = "acme-a"
      lifecycle_rules = keep_only_last_version()
    }
  EOT
  expect_failures = [policy.no_deletion_of_data]
}
