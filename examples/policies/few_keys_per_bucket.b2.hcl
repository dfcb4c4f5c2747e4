# Many keys for one bucket are hard to look over.
policy "few_keys_per_bucket" {
  kinds   = ["bucket"]
  require = length([for k in values(resources.key) : k if try(contains(k.buckets, each.value.name), false)]) <= 3
  message = "More than three keys reach bucket ${each.value.name}."
  level   = "warning"
}
