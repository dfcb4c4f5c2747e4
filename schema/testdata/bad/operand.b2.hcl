bucket "photos" {
  name = 1 + "acme" # ERROR: Invalid operand
}
