# Without a lifecycle rule, every version of every file is kept and paid for.
policy "lifecycle_rule" {
  kinds   = ["bucket"]
  require = try(length(each.value.lifecycle_rules) > 0, false)
  message = "Bucket ${each.value.name} has no lifecycle rule. Write lifecycle_rules = keep_only_last_version(), or rules of its own."
}
