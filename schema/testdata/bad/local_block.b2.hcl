locals {
  prefix { # ERROR: Unsupported block type
  }
}
