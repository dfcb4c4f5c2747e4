# Encrypted backup repositories, one for each machine.
bucket "restic" {
  for_each = toset(["desktop", "laptop", "server"])
  name     = "example-${each.key}-restic"
  default_server_side_encryption {
    algorithm = "AES256"
    mode      = "SSE-B2"
  }
}
