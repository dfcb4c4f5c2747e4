bucket "photos" {
  name = "acme-${timestamp()}" # ERROR: Error in function call
}
