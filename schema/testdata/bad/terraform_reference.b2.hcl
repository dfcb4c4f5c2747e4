bucket "x" {
  name = "acme-photos"
}
key "x" {
  name    = "app"
  access  = "read_only"
  buckets = [b2_bucket.x.bucket_id] # ERROR: Invalid reference
}
output "workspace" {
  value = terraform.workspace # ERROR: Invalid reference
}
