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
key "joplin_folder" {
  name        = "joplin-folder"
  access      = "joplin"
  buckets     = ["acme-notes"]
  name_prefix = "notes/"
  deliver "file" {
    path   = "folder.json"
    format = "joplin" # ERROR: Format does not suit the key
  }
}
key "restic_everywhere" {
  name   = "restic-everywhere"
  access = "restic"
  deliver "stdout" {
    format = "restic" # ERROR: Format does not suit the key
  }
}
key "kopia_two" {
  name    = "kopia-two"
  access  = "kopia"
  buckets = ["acme-a", "acme-b"]
  deliver "command" {
    command = ["cat"]
    format  = "kopia" # ERROR: Format does not suit the key
  }
}
