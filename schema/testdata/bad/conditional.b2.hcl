bucket "photos" {
  name = "acme" ? "acme-photos" : "acme-logs" # ERROR: Incorrect condition type
}
