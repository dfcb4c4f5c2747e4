variable "site" { # ERROR: Missing variable
  type = string
}
