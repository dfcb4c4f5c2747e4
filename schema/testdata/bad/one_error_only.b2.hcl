variable "days" {
  type    = number
  default = "x" # ERROR: Invalid default
}
locals {
  days = var.days + 1
}
bucket "x" {
  name            = "acme-photos-${local.days}"
  lifecycle_rules = keep_prior_versions(local.days)
}
bucket "y" {
  for_each = toset([local.days])
  name     = each.key
}
key "k" {
  name    = "app"
  access  = "read_only"
  buckets = [bucket.x, bucket.y["a"]]
}
output "o" {
  value = bucket.x.name
}
