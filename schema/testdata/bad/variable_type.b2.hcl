variable "site" {
  type = strng # ERROR: Invalid type specification
}
