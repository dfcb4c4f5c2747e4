# Uploads of a social server, handed to a secret store by its own program.
bucket "fedi" {
  name = "example-fedi-uploads"
}

key "fedi" {
  name    = "main-fedi"
  access  = "read_write"
  buckets = [bucket.fedi]
  deliver "command" {
    command = ["vault", "kv", "put", "kv/akkoma_b2/secrets", "-"]
    content = jsonencode({
      b2_app_key_id = self.application_key_id
      b2_app_key    = self.application_key
    })
  }
}
