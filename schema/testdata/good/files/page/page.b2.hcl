variable "bucket" {
  type = any
}

file "part" {
  bucket = var.bucket
  name   = "parts/part.html"
  source = "${path.module}/parts/part.html"
  sha1   = filesha1("${path.module}/parts/part.html")
}

output "sha1" {
  value = file.part.sha1
}
