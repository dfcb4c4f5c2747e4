locals {
  prefix = "acme"
}

locals {
  prefix = "other" # ERROR: Duplicate declaration
}
