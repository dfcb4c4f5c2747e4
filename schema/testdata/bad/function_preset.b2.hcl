bucket "photos" {
  name            = "acme-photos"
  lifecycle_rules = keep_prior_versions(0) # ERROR: Invalid function argument
}
