key "team" {
  for_each       = bucket.team
  name           = "team-${each.key}"
  access         = "read_only"
  buckets        = [each.value, bucket.plain.name, "somebody-elses"]
  valid_duration = 3600

  deliver "file" {
    path    = "out/${each.key}.json"
    content = jsonencode({
      key      = urlencode(self.application_key)
      id       = self.application_key_id
      endpoint = bucket.plain.s3_endpoint
      region   = regex("s3\\.(.*)\\.backblazeb2", bucket.plain.s3_endpoint)[0]
      for      = each.value.name
    })
  }
  deliver "stdout" {}
}

key "values" {
  name    = "values"
  access  = "read_only"
  buckets = values(bucket.team)
}

key "splat" {
  name    = "splat"
  access  = "read_only"
  buckets = bucket.copy[*]
}

key "whole" {
  name    = "whole"
  access  = "read_only"
  buckets = bucket.team
}

key "through_locals" {
  name    = "through-locals"
  access  = "read_only"
  buckets = [for b in local.archive : b if b.type == "allPrivate"]
}

key "by_name" {
  name        = "by-name"
  access      = "write_only"
  buckets     = ["ACME-plain"]
  name_prefix = null

  deliver "file" {
    path   = "rclone.conf"
    format = "rclone"
  }
}

import {
  to = bucket.team["web"]
  id = "${local.prefix}-web"
}

import {
  to = bucket.copy[1]
  id = "acme-copy-1"
}

output "plain" {
  description = "What to type where."
  value = {
    id        = bucket.plain.id
    endpoint  = bucket.plain.s3_endpoint
    path      = "${path.module}/${path.root} ${path.cwd}"
    team      = [for name, b in bucket.team : "${name}: ${b.s3_region}"]
    only      = bucket.team["api"].id
    text      = file("text/note.txt")
    template  = templatefile("${path.module}/text/note.tmpl", { name = bucket.plain.name })
    empty     = bucket.empty
  }
}

output "token" {
  value     = "the ${var.token}"
  sensitive = true
}

output "not_live" {
  value = key.all.application_key_id
}

key "sealed" {
  name   = "sealed"
  access = "read_only"
  deliver "age" {
    path = "sealed.age"
    recipients = [
      "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@somewhere",
    ]
    format = "json"
  }
  deliver "stdout" {
    content = "id ${self.application_key_id}"
  }
  deliver "command" {
    command     = ["./push.sh", "--to", "the vault", "--description", "everything that the second program needs"]
    environment = { ID = self.application_key_id, KEY = self.application_key, BUCKET = bucket.plain.id }
    timeout     = "5m"
  }
  deliver "command" {
    command = ["gh", "secret", "set", "KEY"]
    content = self.application_key
  }
}
