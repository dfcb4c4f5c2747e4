bucket "x" {
  name = "acme-photos"
}
bucket "many" {
  for_each = { a = 1 }
  name     = "acme-logs-${each.key}"
}
import {
  to = bucket.x
  id = "acme-photos"
}
import {
  to = bucket.x # ERROR: Duplicate import
  id = "acme-photos"
}
import {
  to = bucket.y # ERROR: Undeclared reference
  id = "acme-photos"
}
import {
  to = bucket.many # ERROR: Invalid import
  id = "acme-photos"
}
import {
  to = bucket.many["b"] # ERROR: Invalid import
  id = "acme-photos"
}
import {
  to = "bucket.x" # ERROR: Invalid import
  id = "acme-photos"
}
import {
  to = bucket.many["a"]
  id = "" # ERROR: Invalid import
}
import { # ERROR: Missing required argument
  to = bucket.x
}
import {
  to = bucket.x.name # ERROR: Invalid import
  id = "acme-photos"
}
