# What is said of a loop and of one destination does not depend on the order of arguments.
bucket "a" {
  info = { x = bucket.b.name }
  name = bucket.c.name
}

bucket "b" {
  name = bucket.c.name
}

bucket "c" { # ERROR: Reference loop
  name = bucket.b.name
}

key "x" {
  name_prefix = key.second.name
  name        = key.first.name
  access      = "read_only"
}

key "first" {
  name   = "one"
  access = "read_only"
  deliver "file" {
    path = "k.env"
  }
}

key "second" {
  name   = "two"
  access = "read_only"
  deliver "file" {
    path = "k.env" # ERROR: Duplicate destination
  }
}
