locals {
  twice = { for x in ["a", "a"] : x => 1 } # ERROR: Duplicate object key
}
