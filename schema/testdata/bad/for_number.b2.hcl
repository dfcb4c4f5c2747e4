locals {
  each = [for x in 3 : x] # ERROR: Iteration over non-iterable value
}
