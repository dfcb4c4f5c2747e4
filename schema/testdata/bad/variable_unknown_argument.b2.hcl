variable "site" {
  default   = "acme"
  ephemeral = true # ERROR: Terraform argument
}
