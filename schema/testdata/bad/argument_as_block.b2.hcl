bucket "x" {
  name = "acme-photos"
  info { # ERROR: Unsupported block type
    team = "web"
  }
  for_each {} # ERROR: Unsupported block type
}
