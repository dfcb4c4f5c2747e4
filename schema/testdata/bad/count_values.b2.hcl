bucket "negative" {
  count = -1 # ERROR: Incorrect value type
  name  = "acme-photos-${count.index}"
}
bucket "fraction" {
  count = 1.5 # ERROR: Incorrect value type
  name  = "acme-photos-${count.index}"
}
bucket "huge" {
  count = 10000000 # ERROR: Incorrect value type
  name  = "acme-photos-${count.index}"
}
bucket "both" {
  for_each = { a = 1 }
  count    = 2 # ERROR: for_each and count at once
  name     = "acme-photos"
}
