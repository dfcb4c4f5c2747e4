bucket "one" {
  name = "acme-photos"
}
bucket "many" {
  for_each = toset(["a", "b"])
  name     = "acme-logs-${each.key}"
}
output "index" {
  value = bucket.one["a"].name # ERROR: Invalid reference
}
output "no_index" {
  value = bucket.many.name # ERROR: Invalid reference
}
output "missing" {
  value = bucket.many["c"].name # ERROR: Invalid index
}
