# What a name promises, Object Lock keeps: nobody can delete a backup before its time.
policy "object_lock" {
  kinds   = ["bucket"]
  when    = strcontains(each.value.name, "backup")
  require = each.value.file_lock_enabled == true
  message = "Bucket ${each.value.name} is for backups and has no Object Lock. Set file_lock_enabled = true."
}
