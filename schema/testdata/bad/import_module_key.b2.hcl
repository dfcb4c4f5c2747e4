import {
  to = module.s[true].bucket.b # ERROR: Invalid import
  id = "acme-photos"
}

import {
  to = module.s[null].bucket.b # ERROR: Invalid import
  id = "acme-photos"
}
