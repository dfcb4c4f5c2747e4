key "k" {
  name        = "k"
  capabilites = ["listFiles"] # ERROR: Unsupported argument
}
key "terraform" {
  key_name     = "t" # ERROR: Terraform argument
  acess        = "read_only" # ERROR: Unsupported argument
  bucket_ids   = [] # ERROR: Terraform argument
}
file "f" {
  bucket  = "acme-site"
  name    = "f"
  contnet = "x" # ERROR: Unsupported argument
}
file "count" { # ERROR: File without content
  count  = 1
  bucket = "acme-site"
  name   = "g"
}
