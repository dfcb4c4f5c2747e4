variable "name" {}

variable "upstream" {}

locals {
  name = upper(var.name)
}

module "inner" {
  source = "./inner"
  name   = "acme-${lower(local.name)}"
  from   = var.upstream.name
}

output "inner" {
  value = "${module.inner.id} from ${var.upstream.id} as ${local.name}"
}
