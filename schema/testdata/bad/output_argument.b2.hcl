output "a" {
  value      = 1
  depends_on = [] # ERROR: Unsupported argument
}
