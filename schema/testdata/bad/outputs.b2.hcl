variable "secret" {
  default   = "x"
  sensitive = true
}
output "secret" {
  value = "is ${var.secret}" # ERROR: Sensitive output
}
output "empty" { # ERROR: Missing required argument
}
output "argument" {
  value     = 1
  senstive = true # ERROR: Unsupported argument
}
