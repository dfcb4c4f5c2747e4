output "unknown" {
  value = uper("x") # ERROR: Call to unknown function
}
output "clock" {
  value = timestamp() # ERROR: Error in function call
}
output "outside" {
  value = file("../secret.txt") # ERROR: Invalid function argument
}
output "missing" {
  value = file("missing.txt") # ERROR: Invalid function argument
}
output "pattern" {
  value = fileset(".", "[a") # ERROR: Invalid function argument
}
output "few" {
  value = upper() # ERROR: Not enough function arguments
}
output "preset" {
  value = keep_prior_versions(0) # ERROR: Invalid function argument
}
output "many" {
  value = one([1, 2]) # ERROR: Invalid function argument
}
output "default" {
  value = lookup({ a = 1 }, "b") # ERROR: Invalid function argument
}
