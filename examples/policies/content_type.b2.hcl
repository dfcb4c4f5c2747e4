# B2 guesses the type of a file that declares none by its name.
policy "content_type" {
  kinds   = ["file"]
  require = each.value.content_type != null
  message = "File ${each.value.name} declares no content_type, so that B2 guesses it."
}
