bucket "x" {
  name = "acme-photos"
  info = {
    a = 1 b = 2 # ERROR: Missing attribute separator
  }
}
bucket "short" {
  name = "a"
}
