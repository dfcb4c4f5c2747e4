run "passes" {
  policies      = ["object_lock.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create", "bucket.b" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name              = "acme-backup"
      file_lock_enabled = true
    }
    bucket "b" {
      name = "acme-photos"
    }
  EOT
}

run "fails" {
  policies        = ["object_lock.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name = "acme-backup"
    }
  EOT
  expect_failures = [policy.object_lock]
}
