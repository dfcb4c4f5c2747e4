variable "days" {
  nullable = false
  default  = null # ERROR: Invalid default
}
