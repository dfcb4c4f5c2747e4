# Object Lock without a retention locks nothing by itself.
policy "default_retention" {
  kinds   = ["bucket"]
  when    = each.value.file_lock_enabled == true
  require = each.value.default_retention != null
  message = "Bucket ${each.value.name} can lock files, and locks none by default. Set default_retention."
}
