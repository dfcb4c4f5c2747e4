bucket "x" {
  name = "acme-photos"
}
site = "acme" # ERROR: Unsupported argument
