bucket "x" { # ERROR: Missing required argument
}
key "x" { # ERROR: Missing required argument
  access = "read_only"
}
