key "a" {
  name = "a"
  capabilities = [
    "writeFiles",
    "readFlies", # WARNING: Unknown capability
    "listFiles",
    "zzz",       # WARNING: Unknown capability
  ]
  list_all_bucket_names = true
}
