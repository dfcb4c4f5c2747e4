bucket "x" {
  name = "acme-photos"
  file_lock_enabled = true
  default_retention {
    mode = "governance"
    duration = 1
  }
  default_retention { # ERROR: Duplicate block
    mode = "governance"
    duration = 1
  }
}
