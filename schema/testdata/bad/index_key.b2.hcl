bucket "photos" {
  name = "acme-photos"
}


locals {
  list = ["a"]
  map  = { a = 1 }
}

output "values" {
  value = local.list[3] # ERROR: Invalid index
}

output "member" {
  value = local.map.b # ERROR: Unsupported attribute
}
