# A bucket goes by hand, after somebody has looked into it.
policy "prevent_bucket_deletion" {
  kinds   = ["bucket"]
  when    = each.change.action == "delete"
  require = false
  message = "Bucket ${each.value.name} would be deleted. Keep it, or write a removed block: b2form then forgets it."
}
