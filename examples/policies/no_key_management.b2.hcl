# Such a key can make itself one that may do anything; b2form's own is made by hand.
policy "no_key_management" {
  kinds = ["key"]
  require = length(setintersection(each.value.capabilities,
  ["writeKeys", "deleteKeys", "writeBuckets", "deleteBuckets"])) == 0
  message    = "Key ${each.value.name} may manage keys or buckets."
  exceptions = false
}
