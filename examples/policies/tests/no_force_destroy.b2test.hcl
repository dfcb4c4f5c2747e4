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
