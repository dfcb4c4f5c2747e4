variable "keep" {
  type    = bool
  default = false
}

bucket "list" {
  name = "acme-list"
  lifecycle_rules = var.keep ? [] : ([{
    days_from_hiding_to_deleting = 0 # ERROR: Invalid number
  }])
}

bucket "object" {
  name = "acme-object"
  default_retention = var.keep ? null : {
    mode     = "governance"
    duration = 1
    unit     = "weeks" # ERROR: Invalid retention unit
  }
  info = var.keep ? { a = "b" } : { # ERROR: Invalid info key
    "b2-x" = "c"
  }
}
