moved {
  from = bucket.old
  to   = bucket.new
}

removed { # ERROR: Invalid removal
  from = bucket.old
}

removed { # ERROR: Invalid removal
  from = bucket.old["a"]
}

moved {
  from = module.a.bucket.taken_out
  to   = bucket.taken_out
}

removed {
  from = module.a
}

removed {
  from = bucket.new
}

moved {
  from = module.b
  to   = module.c
}

removed { # ERROR: Invalid removal
  from = module.b.key.app
}
