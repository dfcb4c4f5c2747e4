variable "names" {
  default   = ["hunter2"]
  sensitive = true
}

bucket "photos" {
  for_each = toset(var.names) # ERROR: Sensitive instances
  name     = "acme-${each.key}"
}
