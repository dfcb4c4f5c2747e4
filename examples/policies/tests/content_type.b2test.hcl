run "passes" {
  policies      = ["content_type.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create", "file.f" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name = "acme-a"
    }
    file "f" {
      bucket       = bucket.a
      name         = "f.txt"
      content      = "x"
      content_type = "text/plain"
    }
  EOT
}

run "fails" {
  policies        = ["content_type.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name = "acme-a"
    }
    file "f" {
      bucket  = bucket.a
      name    = "f.txt"
      content = "x"
    }
  EOT
  expect_failures = [policy.content_type]
}
