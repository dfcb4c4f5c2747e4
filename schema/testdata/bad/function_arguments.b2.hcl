bucket "photos" {
  name = upper("acme", "photos") # ERROR: Too many function arguments
}

bucket "logs" {
  name = join("-") # ERROR: Error in function call
}

bucket "data" {
  name = substr("acme-data") # ERROR: Not enough function arguments
}
