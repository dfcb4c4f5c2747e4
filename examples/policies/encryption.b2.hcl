# B2 encrypts new buckets by itself; declared, it stays so whatever somebody changes elsewhere.
policy "encryption" {
  kinds   = ["bucket"]
  require = try(each.value.default_server_side_encryption.mode == "SSE-B2", false)
  message = "Bucket ${each.value.name} does not declare its encryption. Write default_server_side_encryption { mode = \"SSE-B2\" }."
}
