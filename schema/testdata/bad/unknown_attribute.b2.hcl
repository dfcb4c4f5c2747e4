bucket "x" {
  name = "acme-photos"
}
output "name" {
  value = bucket.x.nmae # ERROR: Unknown attribute
}
output "id" {
  value = bucket.x.bucket_id # ERROR: Unknown attribute
}
