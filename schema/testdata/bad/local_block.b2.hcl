locals {
  prefix { # ERROR: Unexpected
  }
}
