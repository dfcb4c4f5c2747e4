key "a" {
  name = "a"
  capabilities = [
    "writeFiles",
    "readFlies", # ERROR: Misspelt capability
    "listFiles",
    "zzz",       # WARNING: Unknown capability
  ]
  list_all_bucket_names = true
}
