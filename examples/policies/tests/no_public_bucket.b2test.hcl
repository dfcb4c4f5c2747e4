run "passes" {
  policies      = ["no_public_bucket.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name = "acme-site"
      type = "allPublic"
      info = { public_reason = "it serves the web site" }
    }
  EOT
}

run "fails" {
  policies        = ["no_public_bucket.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name = "acme-site"
      type = "allPublic"
    }
  EOT
  expect_failures = [policy.no_public_bucket]
}
