bucket "photos" {
  name = "acme-photos"
}

check "empty" { # ERROR: Missing assert block
}

check "names" {
  assert {
    condition     = bucket.photo.name != "" # ERROR: Undeclared reference
    error_message = "Nothing."
  }
  assert {
    condition     = 3
    error_message = "Nothing."
  }
  assert { # ERROR: Missing required argument
    condition = true
  }
  asert { # ERROR: Unsupported block type
  }
  data "bucket" "other" { # ERROR: Unsupported block type
    name = "acme-other"
  }
}

check "names" { # ERROR: Duplicate declaration
  assert {
    condition     = true
    error_message = "Fine."
  }
}

check "not a name" { # ERROR: Invalid name
}

# What does not hold, or cannot be evaluated, is a warning: it is no error of the configuration.
check "fails" {
  assert {
    condition     = false
    error_message = "Never."
  }
}
