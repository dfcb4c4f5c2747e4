bucket "photos" "extra" { # ERROR: Extraneous label for bucket
  name = "acme-photos"
}
