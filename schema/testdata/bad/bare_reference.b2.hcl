output "all" {
  value = var # ERROR: Invalid reference
}
output "buckets" {
  value = bucket # ERROR: Invalid reference
}
output "where" {
  value = path.modul # ERROR: Invalid reference
}
output "self" {
  value = self.application_key # ERROR: Invalid reference
}
