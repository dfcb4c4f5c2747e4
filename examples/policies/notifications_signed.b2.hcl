# Without a signing secret, a receiver cannot tell B2's messages from those of others.
policy "notifications_signed" {
  kinds   = ["notification_rules"]
  require = alltrue([for r in each.value.rules : r.target_configuration.hmac_sha256_signing_secret != null])
  message = "Notifications of ${each.value.bucket} are not signed. Set hmac_sha256_signing_secret."
}
