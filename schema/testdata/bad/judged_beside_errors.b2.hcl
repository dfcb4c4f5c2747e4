bucket "x" {
  name = "abc" # ERROR: Invalid bucket name
  type = nothing # ERROR: Invalid reference
  info = { a = 1 + "a" } # ERROR: Invalid operand
}
