bucket "x" {
  name = "acme-photos"
}
bucket "y" {
  name = "acme-${bucket.x.revision}" # ERROR: Computed attribute in an argument
}
locals {
  id  = bucket.x.id
  all = { id = bucket.x.id, name = bucket.x.name }
}
bucket "z" {
  name = "acme-videos"
  info = {
    fine  = local.all.name
    other = local.id # ERROR: Computed attribute in an argument
  }
}
bucket "loop" {
  for_each = toset([local.id]) # ERROR: Computed attribute in an argument
  name     = "acme-${each.key}"
}
bucket "count" {
  count = bucket.x.revision # ERROR: Computed attribute in an argument
  name  = "acme-${count.index}"
}
bucket "kept" {
  name            = "acme-backups"
  prevent_destroy = local.id == "x" # ERROR: Computed attribute in an argument
}
key "k" {
  name    = "app"
  access  = "read_only"
  buckets = [bucket.x.id] # ERROR: Computed attribute in an argument
}
