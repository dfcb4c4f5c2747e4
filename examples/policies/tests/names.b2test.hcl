run "passes" {
  policies      = ["names.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name = "acme-a"
    }
  EOT
}

run "fails" {
  policies        = ["names.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name = "photos-of-a"
    }
  EOT
  expect_failures = [policy.names]
}
