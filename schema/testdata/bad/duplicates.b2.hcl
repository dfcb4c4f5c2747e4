bucket "x" {
  name = "acme-photos"
}
bucket "x" { # ERROR: Duplicate declaration
  name = "acme-videos"
}
variable "v" {
  default = 1
}
variable "v" { # ERROR: Duplicate declaration
  default = 1
}
locals {
  l = 1
}
locals {
  l = 2 # ERROR: Duplicate declaration
}
output "o" {
  value = 1
}
output "o" { # ERROR: Duplicate declaration
  value = 1
}
b2form {}
b2form {} # ERROR: Duplicate b2form block
