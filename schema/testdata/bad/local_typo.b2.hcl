locals {
  prefix = "acme"
}

bucket "photos" {
  name = "${local.prefx}-photos" # ERROR: Undeclared reference
}
