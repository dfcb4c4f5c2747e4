locals { # a comment keeps the lines apart
  a = local.b # ERROR: Reference loop
  b = bucket.x.name
  c = local.c # ERROR: Reference to itself
}
bucket "x" {
  name = local.a
}
bucket "y" { # ERROR: Reference to itself
  name = bucket.y.type
}
