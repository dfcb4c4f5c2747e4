variable "site" {
  default = "acme"
}
locals {
  team = "web"
}
bucket "photos" {
  name = var.siet # ERROR: Undeclared reference
  info = {
    team = local.teem # ERROR: Undeclared reference
  }
}
key "x" {
  name    = "app"
  access  = "read_only"
  buckets = [
    bucket.photo, # ERROR: Undeclared reference
    buckets.photos, # ERROR: Invalid reference
    photos, # ERROR: Invalid reference
  ]
}
