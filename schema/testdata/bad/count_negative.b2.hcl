bucket "photos" {
  count = -1 # ERROR: Incorrect value type
  name  = "acme-photos-${count.index}"
}
