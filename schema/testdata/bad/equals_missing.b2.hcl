bucket "photos" {
  name "acme-photos" # ERROR: Invalid block definition
}
