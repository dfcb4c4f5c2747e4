bucket "photos" { # ERROR: Unclosed configuration block
  name = "acme-photos"
  info = { a = "b"
  type = "allPrivate"
}
