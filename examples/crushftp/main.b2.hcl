# CrushFTP stores files on B2 through its native API (b2://) or S3 (s3://).

variable "bucket" {
  type        = string
  description = "Name of the bucket; unique across all of B2."
  default     = "acme-crushftp-files"
}

variable "folder" {
  type        = string
  description = "The folder in the bucket that CrushFTP works in, such as \"uploads\"; \"\" is all of it."
  default     = ""

  validation {
    condition     = !startswith(var.folder, "/") && !endswith(var.folder, "/")
    error_message = "Write the folder without a slash at its beginning and end."
  }
}

bucket "files" {
  name            = var.bucket
  lifecycle_rules = keep_prior_versions(30)
}

key "crushftp" {
  name        = var.bucket
  access      = "crushftp"
  buckets     = [bucket.files]
  name_prefix = local.path

  # An application key may hold characters that mean something in a URL.
  deliver "file" {
    path    = "crushftp-urls.txt"
    content = <<-EOT
      b2://${self.application_key_id}:${urlencode(self.application_key)}@api.backblazeb2.com/${bucket.files.name}/${local.path}
      s3://${self.application_key_id}:${urlencode(self.application_key)}@${local.s3_host}//${bucket.files.name}/${local.path}
    EOT
  }
}

locals {
  path    = var.folder == "" ? "" : "${var.folder}/"
  s3_host = split("//", bucket.files.s3_endpoint)[1]
}

check "s3" {
  assert {
    condition     = contains(bucket.files.options, "s3")
    error_message = "The bucket was made before May 2020 and has no S3 API. With the b2:// URL, uploads cannot be resumed and times cannot be set."
  }
}

output "b2_url" {
  description = "VFS item of type B2; the real key stands in crushftp-urls.txt."
  value       = "b2://${key.crushftp.application_key_id}:<application key>@api.backblazeb2.com/${bucket.files.name}/${local.path}"
}

output "s3_url" {
  description = "VFS item of type S3; the real key stands in crushftp-urls.txt."
  value       = "s3://${key.crushftp.application_key_id}:<application key>@${local.s3_host}//${bucket.files.name}/${local.path}"
}

output "proxy_hosts" {
  description = "Hosts to allow on a proxy or firewall, port 443; uploads through b2:// go to the last."
  value = [
    "api.backblazeb2.com",
    split("//", bucket.files.api_url)[1],
    split("//", bucket.files.download_url)[1],
    local.s3_host,
    "*.backblaze.com",
  ]
}
