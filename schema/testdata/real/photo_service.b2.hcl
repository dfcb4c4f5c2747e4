# A self-hosted photo service. Its random suffix is a variable here: a plan comes
# out the same every time.
variable "suffix" {
  type        = string
  default     = "k3v9x1"
  description = "Makes the bucket's name unique across all of B2."
  validation {
    condition     = can(regex("^[a-z0-9-]{4,32}$", var.suffix))
    error_message = "Use 4 to 32 lower-case letters, digits and dashes."
  }
}

bucket "ente" {
  name = "ente-${var.suffix}"
}

key "ente" {
  name         = "ente-key"
  capabilities = ["deleteFiles", "listBuckets", "listFiles", "readBuckets", "readFiles", "shareFiles", "writeFiles"]
  buckets      = [bucket.ente]
}

output "url" {
  value = "${bucket.ente.s3_endpoint}/${bucket.ente.name}"
}

output "key_id" {
  value = key.ente.application_key_id
}

output "key" {
  value     = key.ente.application_key
  sensitive = true
}
