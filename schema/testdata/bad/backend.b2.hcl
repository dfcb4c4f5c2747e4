b2form {
  backend "b2" {
    bucket = bucket.states.name # ERROR: Invalid backend
    prefix = "/states" # ERROR: Invalid backend
    region = "us-west-004" # ERROR: Unsupported argument
  }
  backend "local" {} # ERROR: Duplicate backend
}

bucket "states" {
  name = "acme-states"
}
