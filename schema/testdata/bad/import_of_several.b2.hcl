bucket "photos" {
  for_each = toset(["a"])
  name     = "acme-photos-${each.key}"
}

import {
  to = bucket.photos # ERROR: Invalid import
  id = "acme-photos-a"
}
