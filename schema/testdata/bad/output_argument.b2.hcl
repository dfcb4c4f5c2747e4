output "a" {
  value      = 1
  depends_on = [] # ERROR: Terraform argument
}
