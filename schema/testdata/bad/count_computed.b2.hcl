bucket "photos" {
  name = "acme-photos"
}

bucket "copies" {
  count = bucket.photos.revision # ERROR: Computed attribute in an argument
  name  = "acme-copies-${count.index}"
}
