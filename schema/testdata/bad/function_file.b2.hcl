bucket "photos" {
  name = file("missing.txt") # ERROR: Invalid function argument
  info = { a = file("/etc/passwd") } # ERROR: Invalid function argument
}
