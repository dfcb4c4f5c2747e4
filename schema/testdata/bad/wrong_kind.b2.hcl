bucket "photos" {
  name = "acme-photos"
}

key "app" {
  name    = "app"
  access  = "read_only"
  buckets = [bucket.photos]
}

key "other" {
  name    = "other"
  access  = "read_only"
  buckets = [key.app] # ERROR: Incorrect value type
}
