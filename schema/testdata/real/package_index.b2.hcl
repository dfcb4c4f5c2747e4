# Storage of a package index: files locked, and a key that reads everything in the
# account. Switching encryption off, as was done there once, B2 refuses today.
variable "files_bucket" {
  type    = string
  default = "example-index-files"
}

bucket "primary" {
  name              = var.files_bucket
  info              = {}
  file_lock_enabled = true
}

key "read" {
  name         = "files-read-key-${var.files_bucket}"
  capabilities = ["readFiles"]
}
