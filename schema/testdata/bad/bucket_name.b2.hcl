bucket "short" {
  name = "abc" # ERROR: Invalid bucket name
}
bucket "reserved" {
  name = "b2-photos" # ERROR: Invalid bucket name
}
bucket "characters" {
  name = "acme_photos" # ERROR: Invalid bucket name
}
