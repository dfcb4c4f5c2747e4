bucket "logs" {
  name           = "acme-logs"
  ignore_changes = [name] # ERROR: Invalid argument
}
