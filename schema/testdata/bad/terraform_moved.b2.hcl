moved {
  from = b2_bucket.a # ERROR: Invalid address
  to   = b2_bucket.b # ERROR: Invalid address
}
