run "passes" {
  policies      = ["prevent_bucket_deletion.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name = "acme-a"
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
  policies        = ["prevent_bucket_deletion.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    removed {
      from    = bucket.a
      destroy = true
    }
  EOT
  expect_failures = [policy.prevent_bucket_deletion]
}
