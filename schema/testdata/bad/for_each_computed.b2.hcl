bucket "photos" {
  name = "acme-photos"
}

key "app" {
  for_each = toset(bucket.photos.options) # ERROR: Computed attribute in an argument
  name     = each.key
  access   = "read_only"
  buckets  = [bucket.photos]
}
