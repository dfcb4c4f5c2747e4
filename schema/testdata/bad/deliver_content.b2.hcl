key "x" {
  name   = "one"
  access = "read_only"
  deliver "file" {
    path    = "a.env"
    content = { key = self.application_key } # ERROR: Incorrect value type
  }
  deliver "file" {
    path    = "b.env"
    content = self.secret # ERROR: Invalid reference
  }
  deliver "file" {
    path    = "c.env"
    content = regex("^X", self.application_key) # ERROR: Error in function call
  }
}
