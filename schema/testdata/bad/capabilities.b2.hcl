key "x" {
  name         = "app"
  capabilities = ["listFiles", "raedFiles"] # WARNING: Unknown capability
}
key "y" {
  name = "app-two"
  capabilities = [] # ERROR: No capabilities
}
key "z" { # ERROR: Missing access
  name = "app-three"
}
