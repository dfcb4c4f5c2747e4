# One variable describes all buckets of a company.
variable "storage_buckets" {
  type = map(object({
    public = optional(bool, false)
    keep   = optional(number)
    tags   = optional(map(string), {})
  }))
  default = {
    assets  = { public = true, tags = { team = "web" } }
    logs    = { keep = 30 }
    exports = {}
  }
}

bucket "storage" {
  for_each        = var.storage_buckets
  name            = "example-co-${each.key}"
  type            = each.value.public ? "allPublic" : "allPrivate"
  info            = each.value.tags
  lifecycle_rules = each.value.keep == null ? keep_all_versions() : keep_prior_versions(each.value.keep)
  prevent_destroy = each.key == "exports"
}

output "bucket_ids" {
  description = "IDs of the buckets by their names."
  value       = { for b in bucket.storage : b.name => b.id }
}

output "bucket_names" {
  value = [for b in bucket.storage : b.name]
}
