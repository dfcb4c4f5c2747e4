b2form {
  required_version = "~> 1.2"
  account_id       = var.account
  allow            = ["deletes-data", "exposes files"]
}

variable "account" {
  type = string
}

variable "teams" {
  type = map(object({
    days  = optional(number, 7)
    keys  = optional(list(string), [])
    label = optional(string)
  }))
}

variable "level" {
  type    = number
  default = 1
}

variable "token" {
  type      = string
  default   = "swordfish"
  sensitive = true
}

locals {
  prefix  = "acme-${local.stage}"
  archive = [bucket.plain, bucket.team["web"]]
}

bucket "team" {
  for_each = var.teams
  name     = "${local.prefix}-${each.key}"
  info     = each.value.label == null ? null : { label = each.value.label }

  dynamic "lifecycle_rules" {
    for_each = each.value.days > 0 ? { raw = each.value.days, tmp = 1 } : {}
    content {
      file_name_prefix             = "${lifecycle_rules.key}/"
      days_from_hiding_to_deleting = lifecycle_rules.value
    }
  }
  prevent_destroy = each.key == "web"
  ignore_changes  = ["info", cors_rules]
}

bucket "copy" {
  count      = 2
  name       = "acme-copy-${count.index}"
  depends_on = [bucket.team, key.all]
}

bucket "of_bucket" {
  for_each = bucket.team
  name     = "${each.value.name}-backup"
}

bucket "plain" {
  name              = "acme-plain"
  info              = { level = var.level }
  file_lock_enabled = true
  default_retention {
    mode     = "governance"
    duration = 2
    unit     = "years"
  }
  lifecycle_rules = concat(keep_only_last_version(), [{ file_name_prefix = "tmp/", days_from_uploading_to_hiding = "3" }])
  cors_rules = [{
    name               = "downloads"
    allowed_origins    = ["https"]
    allowed_operations = ["s3_get", "s3_head"]
    max_age_seconds    = 60
  }]
  default_server_side_encryption = {}
}

bucket "empty" {
  for_each = {}
  name     = "acme-${each.key}"
}

key "all" {
  name         = "all"
  capabilities = ["listFiles"]
}
