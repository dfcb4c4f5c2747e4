# A public bucket says why, in info.public_reason.
policy "no_public_bucket" {
  kinds   = ["bucket"]
  when    = each.value.type == "allPublic"
  require = try(length(each.value.info.public_reason) > 0, false)
  message = "Bucket ${each.value.name} is public. Say why in info = { public_reason = \"…\" }, or make it allPrivate."
}
