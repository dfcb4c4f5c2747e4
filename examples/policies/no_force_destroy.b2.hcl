# force_destroy is for buckets of tests.
policy "no_force_destroy" {
  kinds   = ["bucket"]
  when    = !startswith(each.value.name, "acme-test-")
  require = each.value.force_destroy != true && !(each.change.action == "delete" && contains(each.change.hazards, "deletes-data"))
  message = "Bucket ${each.value.name} would be deleted with everything in it. Remove force_destroy."
}
