bucket "logs" {
  name           = "acme-logs"
  ignore_changes = [inof] # ERROR: Unknown argument
}
