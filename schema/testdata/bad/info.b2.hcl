bucket "x" {
  name = "acme-photos"
  info = {
    team     = "web"
    "b2-own" = "x" # ERROR: Invalid info key
    "b2form-state-x" = "x" # ERROR: Invalid info key
    "a b"    = "x" # ERROR: Invalid info key
  }
}
