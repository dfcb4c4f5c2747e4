key "x" {
  key_name   = "app" # ERROR: Terraform argument
  name       = "app"
  access     = "read_only"
  bucket_ids = ["a"] # ERROR: Terraform argument
  bucket_id  = "a" # ERROR: Terraform argument
  valid_duration_in_seconds = 30 # ERROR: Terraform argument
}
