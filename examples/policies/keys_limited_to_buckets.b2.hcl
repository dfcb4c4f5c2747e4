# A key without buckets reaches every bucket of the account, also those made later.
policy "keys_limited_to_buckets" {
  kinds   = ["key"]
  require = each.value.buckets != null
  message = "Key ${each.value.name} reaches every bucket of the account. Limit it with buckets = [bucket.NAME]."
}
