bucket "x" { # ERROR: Reference loop
  name       = "acme-photos"
  depends_on = [bucket.y]
}
bucket "y" {
  name = "acme-${bucket.x.type}"
}
