bucket "photos" {
  for_each = toset(["a"])
  name     = "acme-photos-${each.key}"
}

import {
  for_each = toset(["a", "b"])
  to       = bucket.photos[each.key] # ERROR: Undeclared reference
  id       = "acme-photos-${each.key}"
}
