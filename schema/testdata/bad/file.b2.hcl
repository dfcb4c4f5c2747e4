bucket "site" {
  name = "acme-site"
}
file "nothing" { # ERROR: File without content
  bucket = bucket.site
  name   = "nothing.txt"
}
file "names" {
  for_each = toset(["/a", "a//b", "a\\b", "a\nb", "", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"])
  bucket   = bucket.site
  name     = each.value # ERROR: Invalid file name + ERROR: Invalid file name + ERROR: Invalid file name + ERROR: Invalid file name + ERROR: Invalid file name
  content  = ""
}
file "slash" {
  bucket  = bucket.site
  name    = "folder/" # WARNING: File name ends with a slash
  content = ""
}
file "long" {
  bucket  = bucket.site
  name    = join("/", [for i in range(5) : join("", [for j in range(250) : "x"])]) # ERROR: Invalid file name
  content = ""
}
file "type" {
  bucket       = bucket.site
  name         = "type.txt"
  content      = ""
  content_type = "text" # ERROR: Invalid content type
}
file "auto" {
  bucket       = bucket.site
  name         = "auto.txt"
  content      = ""
  content_type = "b2/x-auto" # ERROR: Invalid content type
}
file "sha1" {
  bucket  = bucket.site
  name    = "sha1.txt"
  content = ""
  sha1    = "da39a3ee" # ERROR: Invalid SHA-1
}
file "other_sha1" {
  bucket  = bucket.site
  name    = "other_sha1.txt"
  content = "x"
  sha1    = sha1("y") # ERROR: Content with another SHA-1
}
file "info" {
  bucket  = bucket.site
  name    = "info.txt"
  content = ""
  info = {
    "b2-cache-contrl" = "no-cache" # ERROR: Invalid info key
    "two words"       = "x" # ERROR: Invalid info key
  }
}
file "many" {
  bucket  = bucket.site
  name    = "many.txt"
  content = ""
  info    = { for i in range(11) : "k${i}" => "" } # ERROR: Too many info pairs
}
file "large_info" {
  bucket  = bucket.site
  name    = "large_info.txt"
  content = ""
  info    = { k = format("%07000d", 0) } # ERROR: Name and info too long
}
file "larger_info" {
  bucket  = bucket.site
  name    = "larger_info.txt"
  content = ""
  info    = { k = format("%02040d", 0) } # WARNING: Name and info may be too long
}
file "twice" {
  bucket  = "acme-twice"
  name    = "a/b.txt"
  content = ""
}
file "again" {
  bucket  = "ACME-twice"
  name    = "a/b.txt" # ERROR: Duplicate name
  content = ""
}
file "ignoring" {
  bucket         = "acme-ignoring"
  name           = "a.txt"
  content        = ""
  ignore_changes = [
    bucket, # ERROR: Invalid argument
    content,
  ]
}
variable "secret" {
  type      = string
  sensitive = true
  default   = "acme-secret"
}
file "sensitive" {
  bucket  = var.secret # ERROR: Sensitive bucket
  name    = "a.txt"
  content = ""
}
file "also_sensitive" {
  bucket  = bucket.site
  name    = var.secret # ERROR: Sensitive name
  content = ""
}
output "content" {
  value = file.type.content # ERROR: Content cannot be referred to
}
file "wrong_bucket" {
  bucket  = bucket.site.id # ERROR: Computed attribute in an argument
  name    = "x"
  content = ""
}
