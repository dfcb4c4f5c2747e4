variable "missing" {} # ERROR: Missing variable
variable "type" {
  type    = strong # ERROR: Invalid type specification
  default = "x"
}
variable "default" {
  type    = number
  default = "many" # ERROR: Invalid default
}
variable "null" {
  type     = string
  nullable = false
  default  = null # ERROR: Invalid default
}
variable "argument" {
  defalt  = 1 # ERROR: Unsupported argument
  default = 1
}
variable "sensitive" {
  default   = 1
  sensitive = "yes" # ERROR: Incorrect value type
}
variable "function" {
  default = upper("x") # ERROR: Function calls not allowed
}
variable "reference" {
  default = var.missing # ERROR: Variables not allowed
}
