bucket "x" {
  name = "acme-${each.key}" # ERROR: Invalid reference
  info = { n = count.index } # ERROR: Invalid reference
}
bucket "y" {
  for_each = { a = 1 }
  name     = "acme-logs-${each.kee}" # ERROR: Invalid reference
}
bucket "z" {
  for_each = { a = each.key } # ERROR: Invalid reference
  name     = "acme-more-logs"
}
