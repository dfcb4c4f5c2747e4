key "x" { # ERROR: Reference loop
  name   = "one"
  access = "read_only"
  deliver "file" {
    path    = "one.env"
    content = "${self.application_key} ${key.y.application_key_id}"
  }
}
key "y" {
  name   = "two"
  access = "read_only"
  deliver "file" {
    path    = "two.env"
    content = key.x.application_key_id
  }
}
