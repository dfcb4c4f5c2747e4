variable "site" {
  default = "acme"
}

bucket "photos" {
  name = "${var.stie}-photos" # ERROR: Undeclared reference
}
