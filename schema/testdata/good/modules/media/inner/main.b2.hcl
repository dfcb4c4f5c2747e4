variable "name" {
  type = string
}

variable "from" {
  type     = string
  nullable = false
}

bucket "it" {
  name = var.name
  info = { from = var.from }
}

output "id" {
  value = bucket.it.id
}
