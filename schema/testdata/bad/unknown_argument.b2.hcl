bucket "x" {
  name = "acme-photos"
  tpye = "allPrivate" # ERROR: Unsupported argument
}
