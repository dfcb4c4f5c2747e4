bucket "x" {
  name           = "acme-photos"
  ignore_changes = [inof, name, id] # ERROR: Unknown argument + ERROR: Invalid argument + ERROR: Unknown argument
  depends_on     = ["bucket.y", bucket.z, bucket.x.name, 1] # ERROR: Invalid depends_on + ERROR: Undeclared reference + ERROR: Invalid depends_on + ERROR: Invalid depends_on
}
bucket "y" {
  name           = "acme-videos"
  ignore_changes = everything # ERROR: Incorrect value type
  depends_on     = bucket.x # ERROR: Incorrect value type
  deliver "file" { # ERROR: Unsupported block type
    path = "x"
  }
}
