run "passes" {
  policies      = ["no_force_destroy.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create", "bucket.b" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name          = "acme-test-a"
      force_destroy = true
    }
    bucket "b" {
      name = "acme-a"
    }
  EOT
}

run "fails" {
  policies        = ["no_force_destroy.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name          = "acme-a"
      force_destroy = true
    }
  EOT
  expect_failures = [policy.no_force_destroy]
}

run "exists" {
  configuration        = <<-EOT
    bucket "a" {
      name = "acme-a"
    }
    bucket "b" {
      name = "acme-test-b"
    }
  EOT
  second_plan_is_empty = true
}

run "fails_for_removed_block" {
  policies        = ["no_force_destroy.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    removed {
      from          = bucket.a
      destroy       = true
      force_destroy = true
    }
    bucket "b" {
      name = "acme-test-b"
    }
  EOT
  expect_failures = [policy.no_force_destroy]
}

run "passes_for_empty_bucket" {
  policies      = ["no_force_destroy.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "delete", "bucket.b" = "delete" }
  configuration = <<-EOT
    removed {
      from    = bucket.a
      destroy = true
    }
    removed {
      from          = bucket.b
      destroy       = true
      force_destroy = true
    }
  EOT
}
