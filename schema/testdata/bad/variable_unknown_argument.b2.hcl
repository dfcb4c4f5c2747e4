variable "site" {
  default   = "acme"
  ephemeral = true # ERROR: Unsupported argument
}
