bucket "photos" {
  name = var # ERROR: Invalid reference
}
