bucket "x" {
  name = "acme-photos"
  file_lock_enabled = false
  default_retention { # ERROR: Default retention needs Object Lock
    mode     = "governance"
    duration = 1
  }
}
bucket "y" {
  name = "acme-videos"
  default_retention {
    mode     = "gouvernance" # ERROR: Invalid retention mode
    duration = 1
  }
}
