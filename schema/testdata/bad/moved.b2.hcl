bucket "kept" {
  name = "acme-kept"
}

bucket "new" {
  name = "acme-new"
}

moved { # ERROR: Invalid move
  from = bucket.kept
  to   = bucket.new
}

moved {
  from = bucket.old
  to   = bucket.new
}

moved { # ERROR: Invalid move
  from = bucket.old
  to   = bucket.other
}

moved { # ERROR: Invalid move
  from = bucket.elder
  to   = bucket.new
}

moved { # ERROR: Invalid move
  from = bucket.a
  to   = key.a
}

moved { # ERROR: Invalid move
  from = bucket.same
  to   = bucket.same
}

moved { # ERROR: Invalid move
  from = module.a
  to   = bucket.b
}

moved { # ERROR: Invalid move
  from = bucket.x
  to   = bucket.y
}

moved {
  from = bucket.y
  to   = bucket.z
}

moved {
  from = bucket.z
  to   = bucket.x
}

moved {
  from = "bucket.quoted" # ERROR: Invalid address
  to   = buckt.a         # ERROR: Invalid address
}

moved {
  from = b2_bucket.a      # ERROR: Invalid address
  to   = bucket.a.b       # ERROR: Invalid address
}

moved { # ERROR: Missing required argument
  from = bucket.lonely
}
