bucket "x" {
  name = "acme-photos"
}
bucket "y" {
  name = "Acme-Photos" # ERROR: Duplicate name
}
key "x" {
  for_each     = toset(["a", "b"])
  name         = "app"
  capabilities = ["listBuckets", "readFiles"]
}
key "y" {
  name         = "turning" # ERROR: Duplicate name
  capabilities = ["listBuckets", "readFiles"]
  rotate {
    every = "90d"
  }
}
key "z" {
  name         = "turning"
  capabilities = ["listBuckets", "readFiles"]
}
