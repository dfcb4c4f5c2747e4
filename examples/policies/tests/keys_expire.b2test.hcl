run "passes" {
  policies      = ["keys_expire.b2.hcl"]
  command       = plan
  changes       = { for d in ["90d", "2160h", "30m", "1d12h", "7776000", "12w", "1.5d"] : "key.a[\"${d}\"]" => "create" }
  configuration = <<-EOT
    key "a" {
      for_each       = toset(["90d", "2160h", "30m", "1d12h", "7776000", "12w", "1.5d"])
      name           = "a-$${md5(each.key)}"
      access         = "read_only"
      valid_duration = each.key
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

run "fails_90d1s" {
  policies        = ["keys_expire.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    key "a" {
      name           = "a"
      access         = "read_only"
      valid_duration = "90d1s"
    }
  EOT
  expect_failures = [policy.keys_expire]
}

run "fails_7776001" {
  policies        = ["keys_expire.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    key "a" {
      name           = "a"
      access         = "read_only"
      valid_duration = "7776001"
    }
  EOT
  expect_failures = [policy.keys_expire]
}

run "fails_13w" {
  policies        = ["keys_expire.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    key "a" {
      name           = "a"
      access         = "read_only"
      valid_duration = "13w"
    }
  EOT
  expect_failures = [policy.keys_expire]
}

run "fails_without_end" {
  policies        = ["keys_expire.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    key "a" {
      name   = "a"
      access = "read_only"
    }
  EOT
  expect_failures = [policy.keys_expire]
}
