key "x" {
  name   = "one"
  access = "read_only"
  deliver "fil" {} # ERROR: Unsupported delivery
  deliver "file" {} # ERROR: Missing required argument
  deliver "stdout" {
    path = "x" # ERROR: Unsupported argument
  }
  deliver "file" {
    path   = "a.env"
    format = "ini" # ERROR: Unknown format
  }
  deliver "file" {
    path    = "b.env"
    format  = "env"
    content = "x" # ERROR: format and content at once
  }
  deliver "file" {
    path    = self.application_key_id # ERROR: Invalid reference
  }
  deliver "file" {
    path    = "${key.x.application_key_id}.env" # ERROR: Computed attribute in an argument
  }
  deliver "file" {
    path = "~/key.env" # ERROR: Invalid path
  }
  deliver "file" {
    path = "" # ERROR: Invalid path
  }
  deliver "file" {
    path = "main.b2.hcl" # ERROR: Invalid path
  }
}
