variable "token" {
  default   = "hunter2"
  sensitive = true
}

bucket "shared" {
  name = "acme-shared"
}

module "site" {
  source   = "./site"
  for_each = { eu = ["photos", "logs"], us = ["photos"] }
  region   = each.key
  buckets  = each.value
  shared   = bucket.shared
  token    = var.token
}

module "media" {
  source     = "./media"
  count      = 2
  name       = "media-${count.index}"
  upstream   = module.site["eu"].buckets["photos"]
  depends_on = [bucket.last]
}

bucket "last" {
  name = "acme-last"
}

key "reader" {
  name    = "reader"
  access  = "read_only"
  buckets = concat([module.site["us"].buckets["photos"]], values(module.site["eu"].buckets))
}

import {
  to = module.site["eu"].bucket.each["photos"]
  id = "acme-eu-photos"
}

output "endpoint" {
  value = module.site["eu"].endpoint
}

output "inner" {
  value = module.media[1].inner
}

output "token" {
  value     = module.site["us"].token
  sensitive = true
}
