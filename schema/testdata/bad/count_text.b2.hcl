bucket "photos" {
  count = "many" # ERROR: Incorrect value type
  name  = "acme-photos-${count.index}"
}
