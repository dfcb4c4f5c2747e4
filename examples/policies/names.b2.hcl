# The whole world shares the names of buckets; a prefix tells whose they are.
policy "names" {
  kinds   = ["bucket"]
  require = startswith(each.value.name, "acme-")
  message = "The name of bucket ${each.value.name} does not begin with acme-."
}
