bucket "photos" {
  name = acme-photos # ERROR: Invalid reference
}
