bucket "x" {
  name = "acme-photos"
}
locals {
  id = bucket.x.id
}
bucket "y" {
  name = "acme-videos"
  info = {
    a = can(local.id) ? "a" : "b" # ERROR: Computed attribute in an argument
  }
}
