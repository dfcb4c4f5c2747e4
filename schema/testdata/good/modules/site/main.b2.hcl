variable "region" {
  type = string
  validation {
    condition     = contains(["eu", "us"], var.region)
    error_message = "There are eu and us only."
  }
}

variable "buckets" {
  type = set(string)
}

variable "shared" {
  type = object({ name = string })
}

variable "token" {
  default = null
}

variable "rule" {
  type    = object({ prefix = optional(string, "tmp/"), days = number })
  default = { days = 3 }
}

bucket "each" {
  for_each = var.buckets
  name     = "acme-${var.region}-${each.key}"
  lifecycle_rules {
    file_name_prefix             = var.rule.prefix
    days_from_hiding_to_deleting = var.rule.days
  }
}

key "app" {
  name    = "app-${var.region}"
  access  = "read_only"
  buckets = [var.shared]
  deliver "file" {
    path    = "../${var.region}.env"
    content = "${self.application_key} ${bucket.each["photos"].id} ${path.module} ${file("${path.module}/note.txt")}"
  }
}

moved {
  from = bucket.old
  to   = bucket.each["photos"]
}

check "region" {
  assert {
    condition     = bucket.each["photos"].s3_region == var.region
    error_message = "It is in ${bucket.each["photos"].s3_region}, not in ${var.region}."
  }
}

output "buckets" {
  value = bucket.each
}

output "endpoint" {
  value = bucket.each["photos"].s3_endpoint
}

output "token" {
  value = var.token
}
