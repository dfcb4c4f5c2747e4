key "x" {
  name   = "one"
  access = "read_only"
  deliver "file" {
    path = "d"
  }
  deliver "file" {
    path = "d/k" # ERROR: Conflicting destinations
  }
  deliver "file" {
    path = "e/f/k"
  }
  deliver "file" {
    path = "e/g/k"
  }
}
key "y" {
  name   = "two"
  access = "read_only"
  deliver "file" {
    path = "e" # ERROR: Conflicting destinations
  }
}
