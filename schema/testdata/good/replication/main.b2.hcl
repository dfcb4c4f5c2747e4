# Two sites copy to one another; keys are limited to the buckets that name them.
variable "copies" {
  type    = map(string) # rule: prefix
  default = { library = "library/", raw = "raw/" }
}

locals {
  sites = toset(["east", "west"])
  other = { east = "west", west = "east" }
  takes = [for pair in [["reader", "writer"], ["0012ab34cd56ef00000000001", "writer"]] : { source = pair[0], destination = pair[1] }]
}

bucket "site" {
  for_each = local.sites
  name     = "acme-${each.key}"
  replication {
    source {
      key = key.site[each.key]
      rules {
        name                   = "to-${local.other[each.key]}"
        destination            = bucket.site[local.other[each.key]]
        include_existing_files = true
      }
    }
    destination {
      keys {
        source      = key.site[local.other[each.key]]
        destination = key.site[each.key]
      }
    }
  }
}

key "site" {
  for_each = local.sites
  name     = "site-${each.key}"
  access   = "read_write"
  buckets  = [bucket.site[each.key]]
}

# Rules from a variable, and a bucket of another account.
bucket "photos" {
  name = "acme-photos"
  dynamic "replication" {
    for_each = length(var.copies) > 0 ? [var.copies] : []
    content {
      source {
        key = key.reader
        rules = [for name, prefix in replication.value : {
          name             = name
          destination      = "8d625eb63be2775577c70e1a"
          file_name_prefix = prefix
        }]
      }
    }
  }
}

key "reader" {
  name         = "reader"
  capabilities = ["readFiles"]
  buckets      = [bucket.photos]
}

# Assigned as a whole, from a local value.
bucket "vault" {
  name        = "acme-vault"
  replication = { destination = { keys = local.takes } }
}

key "writer" {
  name         = "writer"
  capabilities = ["writeFiles"]
  buckets      = [bucket.vault.name]
}

output "rules" {
  value = bucket.photos.replication.source.rules[*].name
}

check "copied" {
  assert {
    condition     = bucket.photos.replication.source.key == "reader"
    error_message = "Photos are not copied."
  }
}
