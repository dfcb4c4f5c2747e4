bucket "photos" {
  name = "acme-photos"
}

import { # ERROR: Missing required argument
  to = bucket.photos
}
