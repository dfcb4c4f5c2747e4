locals {
  alice = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
}
key "x" {
  name   = "one"
  access = "read_only"
  deliver "age" {} # ERROR: Missing required argument + ERROR: Missing required argument
  deliver "age" {
    path       = "a.age"
    recipients = local.alice # ERROR: Incorrect value type
  }
  deliver "age" {
    path       = "b.age"
    recipients = [] # ERROR: Invalid recipient
  }
  deliver "age" {
    path = "c.age"
    recipients = [
      local.alice,
      "alice@example.com", # ERROR: Invalid recipient
      "AGE-SECRET-KEY-1QQQ", # ERROR: Invalid recipient
    ]
  }
  deliver "age" {
    path       = "d.age"
    recipients = [self.application_key_id] # ERROR: Invalid reference
  }
  deliver "age" {
    path       = "a.env"
    recipients = [local.alice]
  }
  deliver "file" {
    path = "a.env" # ERROR: Duplicate destination
  }
}
