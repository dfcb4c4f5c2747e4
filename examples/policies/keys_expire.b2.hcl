# A key lives for 90 days at most; one that rotates is renewed by itself.
policy "keys_expire" {
  kinds = ["key"]
  when  = each.value.rotate == null
  # valid_duration is a number of seconds, or numbers with units: "90d", "2160h", "1d12h".
  require = try(
    try(tonumber(each.value.valid_duration), sum([
      for n in regexall("([0-9.]+)([a-z]+)", each.value.valid_duration) :
      n[0] * { w = 7 * 86400, d = 86400, h = 3600, m = 60, s = 1 }[n[1]]
    ])) <= 90 * 86400,
  false)
  message = "Key ${each.value.name} lives for more than 90 days. Set valid_duration = \"90d\" or less, or let it rotate."
}
