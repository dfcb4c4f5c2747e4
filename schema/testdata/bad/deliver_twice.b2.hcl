key "x" {
  name   = "one"
  access = "read_only"
  deliver "file" {
    path = "a.env"
  }
  deliver "stdout" {}
  deliver "stdout" {} # ERROR: Duplicate destination
}
key "y" {
  for_each = toset(["a", "b"])
  name     = "two-${each.key}"
  access   = "read_only"
  deliver "file" {
    path = "./a.env" # ERROR: Duplicate destination
  }
}
key "z" {
  name    = "three"
  access  = "read_only"
  deliver = "file" # ERROR: Unsupported argument
}
