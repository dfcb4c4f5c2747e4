bucket "a b" { # ERROR: Invalid name
  name = "acme-photos"
}
bucket { # ERROR: Missing name for bucket
  name = "acme-videos"
}
bucket "a" "b" { # ERROR: Extraneous label for bucket
  name = "acme-backups"
}
