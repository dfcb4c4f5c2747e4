bucket "pictures" {
  name = "acme-pictures"
}

bucket "logs" {
  for_each = toset(["edge"])
  name     = "acme-logs-${each.key}"
}

moved {
  from = bucket.photos
  to   = bucket.pictures
}

moved {
  from = bucket.logs[0]
  to   = bucket.logs["edge"]
}

moved {
  from = module.media["eu"]
  to   = module.site.module.media
}

removed {
  from = key.legacy
}

removed {
  from    = module.trial
  destroy = true
}
