variable "token" {
  default   = "t0ps3cret"
  sensitive = true
}
key "x" {
  name   = "one"
  access = "read_only"
  deliver "command" {} # ERROR: Missing required argument
  deliver "command" {  # ERROR: Nothing to deliver
    command = ["true"]
  }
  deliver "command" {
    command = "gh secret set KEY" # ERROR: Incorrect value type
    content = self.application_key
  }
  deliver "command" {
    command = ["gh secret set KEY"] # ERROR: Invalid command
    content = self.application_key
  }
  deliver "command" {
    command = [] # ERROR: Invalid command
    content = self.application_key
  }
  deliver "command" {
    command = ["~/bin/push"] # ERROR: Invalid command
    content = self.application_key
  }
  deliver "command" {
    command = ["gh", self.application_key] # ERROR: Invalid reference
    content = "x"
  }
  deliver "command" {
    command = ["curl", "-H", "Authorization: ${var.token}"] # ERROR: Sensitive value
    content = "x"
  }
  deliver "command" {
    command     = ["push"]
    environment = { "A=B" = "x" } # ERROR: Invalid environment
  }
  deliver "command" {
    command     = ["push"]
    environment = { KEY = null } # ERROR: Invalid environment
  }
  deliver "command" {
    command     = ["push"]
    environment = self.application_key # ERROR: Incorrect value type
  }
  deliver "command" {
    command = ["push"]
    content = "x"
    timeout = "2h" # ERROR: Invalid timeout
  }
  deliver "command" {
    command = ["push"]
    content = "x"
    timeout = "soon" # ERROR: Invalid timeout
  }
  deliver "file" {
    path = "${var.token}.env" # ERROR: Sensitive value
  }
}
