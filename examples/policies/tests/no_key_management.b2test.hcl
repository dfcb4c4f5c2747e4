run "passes" {
  policies      = ["no_key_management.b2.hcl"]
  command       = plan
  changes       = { "key.a" = "create" }
  configuration = <<-EOT
    key "a" {
      name   = "a"
      access = "read_only"
    }
  EOT
}

run "fails" {
  policies        = ["no_key_management.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    key "a" {
      name         = "a"
      capabilities = ["listBuckets", "writeKeys"]
    }
  EOT
  expect_failures = [policy.no_key_management]
}
