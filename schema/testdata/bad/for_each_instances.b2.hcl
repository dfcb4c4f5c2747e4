bucket "x" {
  for_each = toset(["photos", "b", "c"])
  name     = "a-${each.key}" # ERROR: Invalid bucket name + ERROR: Invalid bucket name
}
