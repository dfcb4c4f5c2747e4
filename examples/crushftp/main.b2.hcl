# CrushFTP stores files on B2 through its native API (b2://) or S3 (s3://).

variable "bucket" {
  type        = string
  description = "Name of the bucket; unique across all of B2."
  default     = "acme-crushftp-files"
}

bucket "files" {
  name            = var.bucket
  lifecycle_rules = keep_prior_versions(30)
}

key "crushftp" {
  name                  = "crushftp"
  access                = "read_write"
  buckets               = [bucket.files]
  list_all_bucket_names = true

  # An application key may hold characters that mean something in a URL.
  deliver "file" {
    path    = "crushftp-urls.txt"
    content = <<-EOT
      b2://${self.application_key_id}:${urlencode(self.application_key)}@api.backblazeb2.com/${bucket.files.name}/
      s3://${self.application_key_id}:${urlencode(self.application_key)}@${local.s3_host}//${bucket.files.name}/
    EOT
  }
}

locals {
  s3_host = trimprefix(bucket.files.s3_endpoint, "https://")
}

output "b2_url" {
  description = "VFS item of type B2; the real key stands in crushftp-urls.txt."
  value       = "b2://${key.crushftp.application_key_id}:<application key>@api.backblazeb2.com/${bucket.files.name}/"
}

output "s3_url" {
  description = "VFS item of type S3; the real key stands in crushftp-urls.txt."
  value       = "s3://${key.crushftp.application_key_id}:<application key>@${local.s3_host}//${bucket.files.name}/"
}

output "proxy_hosts" {
  description = "Hosts to allow on a proxy or firewall."
  value       = ["api.backblazeb2.com", trimprefix(bucket.files.download_url, "https://"), local.s3_host]
}
