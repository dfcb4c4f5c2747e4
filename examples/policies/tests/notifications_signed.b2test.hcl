run "passes" {
  policies      = ["notifications_signed.b2.hcl"]
  command       = plan
  changes       = { "bucket.a" = "create", "notification_rules.a" = "create" }
  configuration = <<-EOT
    bucket "a" {
      name = "acme-a"
    }
    notification_rules "a" {
      bucket = bucket.a
      rules {
        name        = "everything"
        event_types = ["b2:ObjectCreated:*"]
        target_configuration {
          url                        = "https://www.example.com/hook"
          hmac_sha256_signing_secret = "abcdefghijklmnopqrstuvwxyz012345"
        }
      }
    }
  EOT
}

run "fails" {
  policies        = ["notifications_signed.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    bucket "a" {
      name = "acme-a"
    }
    notification_rules "a" {
      bucket = bucket.a
      rules {
        name        = "everything"
        event_types = ["b2:ObjectCreated:*"]
        target_configuration {
          url = "https://www.example.com/hook"
        }
      }
    }
  EOT
  expect_failures = [policy.notifications_signed]
}
