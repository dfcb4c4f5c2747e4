# Private backups and public files of one network.
variable "vpc_name" {
  default = "k2-example"
}

locals {
  public = "${var.vpc_name}-public"
}

bucket "backups" {
  name = "${var.vpc_name}-backups"
  lifecycle_rules {
    days_from_hiding_to_deleting  = 1
    days_from_uploading_to_hiding = null
  }
}

bucket "public" {
  name            = local.public
  type            = "allPublic"
  lifecycle_rules = keep_only_last_version()
}
