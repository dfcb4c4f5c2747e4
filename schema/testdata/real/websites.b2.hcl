# Only some websites want a bucket.
locals {
  websites = {
    blog = { app = "example-blog", bucket = true }
    docs = { app = "example-docs", bucket = false }
    shop = { app = "example-shop", bucket = true }
  }
  with_bucket = { for name, site in local.websites : name => site if site.bucket }
}

bucket "website" {
  for_each = local.with_bucket
  name     = each.value.app
}

key "website" {
  for_each = local.with_bucket
  name     = each.value.app
  access   = "read_write"
  buckets  = [bucket.website[each.key]]
}

output "regions" {
  value = { for name, b in bucket.website : name => b.s3_region }
}
