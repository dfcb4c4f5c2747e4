key "x" {
  name         = "app"
  capabilities = ["listFiles", "raedFiles"] # ERROR: Misspelt capability
}
key "y" {
  name = "app-two"
  capabilities = [] # ERROR: No capabilities
}
key "z" { # ERROR: Missing access
  name = "app-three"
}
key "b" {
  name = "b"
  capabilities = [
    "listBuckets",
    "readfiles",   # ERROR: Misspelt capability
    "LISTFILES",   # ERROR: Misspelt capability
    "writeFile",   # ERROR: Misspelt capability
    "shareFilles", # ERROR: Misspelt capability
    "deleteFikes", # ERROR: Misspelt capability
    "listKey",     # ERROR: Misspelt capability
    "readbucketlogging",  # ERROR: Misspelt capability
    "bypassGovernances",  # ERROR: Misspelt capability
    "readBucketLogging",
    "writeBucketLogging",
    "readFileTags",     # WARNING: Unknown capability
    "readBucketPolicy", # WARNING: Unknown capability
  ]
}
