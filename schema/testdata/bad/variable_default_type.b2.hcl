variable "days" {
  type    = number
  default = "many" # ERROR: Invalid default
}
