b2form {
  required_version = ">= 2.0" # ERROR: Unsupported version of b2form
  account_id       = "" # ERROR: Invalid account
  allow            = ["deletes-data", "exposes data"] # ERROR: Unknown hazard
  deny             = ["no-expiry", "no_expiry"] # ERROR: Unknown rule
  backend "s3" {} # ERROR: Unknown backend
  limits           = {} # ERROR: Unsupported argument
  acount_id        = "x" # ERROR: Unsupported argument
}
