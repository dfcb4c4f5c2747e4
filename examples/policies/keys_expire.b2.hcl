# A key lives for 90 days at most; one that rotates is renewed by itself.
policy "keys_expire" {
  kinds   = ["key"]
  when    = each.value.rotate == null
  require = can(regex("^([1-9]|[1-8][0-9]|90)d$|^[0-9]{1,3}h$", each.value.valid_duration))
  message = "Key ${each.value.name} lives for more than 90 days. Set valid_duration = \"90d\" or less, or let it rotate."
}
