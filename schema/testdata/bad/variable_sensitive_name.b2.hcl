variable "name" {
  default   = "acme-hunter2"
  sensitive = true
}

bucket "photos" {
  name = var.name # ERROR: Sensitive name
}
