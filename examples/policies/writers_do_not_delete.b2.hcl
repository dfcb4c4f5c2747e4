# Who breaks into a server must not get at its backups: its key writes and cannot delete.
policy "writers_do_not_delete" {
  kinds   = ["key"]
  when    = strcontains(each.value.name, "backup")
  require = !contains(each.value.capabilities, "deleteFiles") && !contains(each.value.capabilities, "bypassGovernance")
  message = "Key ${each.value.name} writes backups and may delete them. Leave deleteFiles and bypassGovernance out of its capabilities."
}
