# Changes that delete files are made by people who look at the plan.
policy "no_deletion_of_data" {
  kinds   = ["bucket"]
  require = !contains(each.change.hazards, "deletes-data")
  message = "${each.key}: this ${each.change.action} may delete data."
}
