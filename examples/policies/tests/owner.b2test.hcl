run "passes" {
  policies      = ["owner.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name = "acme-a"
      info = { owner = "web team" }
    }
  EOT
}

run "fails" {
  policies        = ["owner.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name = "acme-a"
    }
  EOT
  expect_failures = [policy.owner]
}
