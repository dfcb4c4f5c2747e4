run "passes" {
  policies      = ["writers_do_not_delete.b2.hcl"]
  command       = plan
  changes       = { "key.a" = "create" }
  configuration = <<-EOT
    key "a" {
      name         = "backup-a"
      capabilities = ["listBuckets", "listFiles", "readFiles", "writeFiles"]
    }
  EOT
}

run "fails" {
  policies        = ["writers_do_not_delete.b2.hcl"]
  command         = plan
  configuration   = <<-EOT
    key "a" {
      name         = "backup-a"
      capabilities = ["listBuckets", "listFiles", "writeFiles", "deleteFiles"]
    }
  EOT
  expect_failures = [policy.writers_do_not_delete]
}
