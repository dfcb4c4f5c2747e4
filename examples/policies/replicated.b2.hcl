# An archive lies in two buckets.
policy "replicated" {
  kinds   = ["bucket"]
  when    = endswith(each.value.name, "-archive")
  require = try(length(each.value.replication.source.rules) > 0, false)
  message = "Bucket ${each.value.name} is an archive and is copied nowhere. Give it a replication."
}
