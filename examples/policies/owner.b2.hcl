# Somebody is asked when nobody knows what a bucket is for.
policy "owner" {
  kinds   = ["bucket"]
  require = try(length(each.value.info.owner) > 0, false)
  message = "Bucket ${each.value.name} names no owner. Write info = { owner = \"…\" }."
}
