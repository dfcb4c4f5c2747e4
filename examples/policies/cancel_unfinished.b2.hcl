# Parts of large files that nobody finishes are paid for, and no listing of files shows them.
policy "cancel_unfinished" {
  kinds = ["bucket"]
  require = try(anytrue([for r in each.value.lifecycle_rules :
  r.file_name_prefix == "" && r.days_from_starting_to_canceling_unfinished_large_files != null]), false)
  message = "Bucket ${each.value.name} keeps unfinished large files. Set days_from_starting_to_canceling_unfinished_large_files."
}
