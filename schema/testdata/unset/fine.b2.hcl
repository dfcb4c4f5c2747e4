variable "site" {
  type = string
  validation {
    condition     = length(var.site) > 3
    error_message = "${var.site} is too short."
  }
}
variable "secret" {
  type      = string
  sensitive = true
}
variable "regions" { type = set(string) }
variable "rules" {
  type = list(object({ prefix = string, days = number }))
}
variable "keep" { type = bool }
variable "number" { type = number }
variable "any" {}
variable "buckets" {
  type     = list(string)
  nullable = false
}
locals {
  name  = "${var.site}-photos"
  first = var.rules[0].prefix
  keys  = { for r in var.regions : r => "${r}-${var.site}" }
}
b2form {
  account_id = var.site
}
bucket "photos" {
  name            = local.name
  info            = { site = var.site, secret = var.secret, first = local.first }
  prevent_destroy = var.keep
  lifecycle_rules = [for r in var.rules : { file_name_prefix = r.prefix, days_from_hiding_to_deleting = r.days }]
  cors_rules {
    name               = var.site
    allowed_origins    = var.any
    allowed_operations = ["s3_get"]
    max_age_seconds    = var.number
  }
}
bucket "logs" {
  for_each = var.regions
  name     = "acme-logs-${each.key}"
  info     = { of = each.value, other = local.keys[each.key] }
}
bucket "counted" {
  count = var.number
  name  = "b2-${count.index}"
}
bucket "dynamic" {
  name = "acme-dynamic"
  dynamic "lifecycle_rules" {
    for_each = var.rules
    content {
      file_name_prefix             = lifecycle_rules.value.prefix
      days_from_hiding_to_deleting = lifecycle_rules.value.days
    }
  }
}
key "app" {
  name           = "${var.site}-app"
  access         = var.any
  buckets        = concat(var.buckets, [bucket.photos, bucket.logs["eu"]])
  valid_duration = var.any
  name_prefix    = var.secret
  rotate {
    every = var.any
  }
  deliver "file" {
    path    = "${var.site}.env"
    content = "${var.secret} ${self.application_key} ${bucket.logs["eu"].id}"
  }
}
import {
  to = bucket.photos
  id = var.site
}
output "all" {
  value = [bucket.logs, bucket.photos.name, local.keys, bucket.counted[0].name]
}
