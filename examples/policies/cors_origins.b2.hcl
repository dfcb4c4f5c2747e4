# With an asterisk, or the protocol alone, every page on the web may read what a visitor may.
policy "cors_origins" {
  kinds = ["bucket"]
  when  = each.value.cors_rules != null
  require = alltrue([for o in flatten([for r in coalesce(each.value.cors_rules, []) : r.allowed_origins]) :
  !can(regex("^(\\*|https?|https?://\\*(:.*)?)$", lower(o)))])
  message = "Bucket ${each.value.name} lets every origin in. Name the origins in its cors_rules."
}
