import {
  to = bucket.photos # ERROR: Undeclared reference
  id = "acme-photos"
}
