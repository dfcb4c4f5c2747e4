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
  for_each = toset(["a"])
  to       = bucket.photos[null] # ERROR: Invalid import
  id       = each.key
}

import {
  for_each = { a = 1.5 }
  to       = bucket.photos[each.value] # ERROR: Invalid address
  id       = each.key
}

import {
  to = bucket.photos[sensitive("a")] # ERROR: Invalid address
  id = "acme-photos-a"
}

import {
  for_each = { a = "" }
  to       = bucket.photos[each.key]
  id       = each.value # ERROR: Invalid import
}
