run "passes" {
  policies      = ["keys_expire.b2.hcl"]
  command       = plan
  changes       = { "key.a" = "create" }
  configuration = <<-EOT
    key "a" {
      name           = "a"
      access         = "read_only"
      valid_duration = "90d"
    }
  EOT
}

run "fails" {
  policies        = ["keys_expire.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    key "a" {
      name           = "a"
      access         = "read_only"
      valid_duration = "91d"
    }
  EOT
  expect_failures = [policy.keys_expire]
}
