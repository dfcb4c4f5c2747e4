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

bucket "old" {
  for_each = { a = "acme-old-a", b = "acme-old-b" }
  name     = each.value
}

import {
  for_each = { a = "8d625eb63be2775577c70e01", b = "acme-old-b" }
  to       = bucket.old[each.key]
  id       = each.value
}
