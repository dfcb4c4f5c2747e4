bucket "photos" {
  name = uper("acme-photos") # ERROR: Call to unknown function
}
