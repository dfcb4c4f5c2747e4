bucket "photos" {
  name = "acme-photos"
}

bucket "logs" {
  name       = "acme-logs"
  depends_on = ["bucket.photos"] # ERROR: Invalid depends_on
}
