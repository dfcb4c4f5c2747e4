bucket "photos" {
  for_each = toset(["a"])
  name     = "acme-photos-${each.key}"
}

import {
  for_each = ["a"] # ERROR: Incorrect value type
  to       = bucket.photos[each.key]
  id       = each.value
}

import {
  to = bucket.photos[each.key] # ERROR: Invalid reference
  id = "acme-photos-a"
}

import {
  for_each = toset(["a", "b"])
  to       = bucket.photos["a"].name[each.key] # ERROR: Invalid import
  id       = ""
}

import {
  for_each = { a = "" }
  to       = bucket.photos[each.key]
  id       = each.value # ERROR: Invalid import
}
