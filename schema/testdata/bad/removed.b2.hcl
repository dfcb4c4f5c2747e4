bucket "kept" {
  for_each = toset(["a"])
  name     = "acme-kept-${each.key}"
}

removed {
  from = bucket.kept # ERROR: Invalid removal
}

removed {
  from = bucket.kept["a"] # ERROR: Invalid removal
}

removed {
  from = bucket.gone
}

removed {
  from    = bucket.gone # ERROR: Invalid removal
  destroy = true
}

removed {
  from    = bucket.other
  destroy = "perhaps" # ERROR: Incorrect value type
}

removed {
  from = bucket.pasted
  lifecycle { # ERROR: Terraform block
    destroy = false
  }
}

removed {
  from     = bucket.typo
  destruct = true # ERROR: Unsupported argument
}

removed {
  from          = bucket.kept_for_others
  force_destroy = true # ERROR: Invalid removal
}

removed {
  from          = key.app
  destroy       = true
  force_destroy = true # ERROR: Invalid removal
}

removed {
  from          = bucket.texts
  destroy       = true
  force_destroy = "perhaps" # ERROR: Incorrect value type
}

removed {
  from          = bucket.fine
  destroy       = true
  force_destroy = true
}

removed { # ERROR: Missing required argument
  destroy = true
}
