# Of what has no instances nothing is evaluated, so it may use what is not there.
locals {
  hook = null
  m    = []
}
bucket "x" {
  count = local.hook == null ? 0 : 1
  name  = local.hook.name
  lifecycle_rules {
    file_name_prefix             = local.hook.name
    days_from_hiding_to_deleting = local.m[0]
  }
}
key "k" {
  count           = length(local.m) > 0 ? 1 : 0
  name            = local.m[0]
  buckets         = bucket.x[*]
  access          = "read_only"
  prevent_destroy = local.hook.name
  deliver "file" {
    path    = local.m[0]
    content = local.hook.name
  }
  precondition {
    condition     = local.m[0] == 1
    error_message = "x"
  }
  postcondition {
    condition     = self.name == local.m[0]
    error_message = "x"
  }
}
key "f" {
  for_each          = {}
  name              = local.hook.name
  access            = "read_only"
  buckets           = [bucket.x[0]]
  policy_exceptions = { x = local.m[0] }
}
file "f" {
  for_each = toset([])
  bucket   = bucket.x[0]
  name     = "a"
  content  = local.hook.name
}
output "n" { value = [length(bucket.x), length(key.k), length(key.f)] }
