bucket "x" {
  name = "acme-photos"
}
key "empty" {
  name    = "app-one"
  access  = "read_only"
  buckets = [] # ERROR: Key without a bucket
}
key "lone" {
  name    = "app-two"
  access  = "read_only"
  buckets = bucket.x # ERROR: Incorrect value type
}
key "wrong_kind" {
  name    = "app-three"
  access  = "read_only"
  buckets = [bucket.x, key.empty] # ERROR: Incorrect value type
}
key "number" {
  name    = "app-four"
  access  = "read_only"
  buckets = [
    bucket.x,
    ["a"],
    { a = "b" }, # ERROR: Incorrect value type
  ]
}
