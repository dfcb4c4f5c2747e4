bucket "photos" {
  for_each = toset(["a"])
  name     = "acme-${each.key}-photos"
}

key "app" {
  name    = "app"
  access  = "read_only"
  buckets = [bucket.photos["b"]] # ERROR: Invalid index
}
