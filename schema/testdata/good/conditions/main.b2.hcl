variable "days" {
  default = 30
}

bucket "photos" {
  for_each = toset(["a", "b"])
  name     = "acme-photos-${each.key}"
  precondition {
    condition     = var.days > 7 && length(each.key) == 1
    error_message = "Keep ${each.key} for longer than a week."
  }
  postcondition {
    condition     = self.type == "allPrivate" && endswith(self.name, each.key) && self.revision < 0 # not live in this test
    error_message = "Nothing is said of what is not known."
  }
}

check "holds" {
  assert {
    condition     = alltrue([for b in bucket.photos : b.type == "allPrivate"])
    error_message = "A bucket is public."
  }
}

check "live" {
  assert {
    condition     = bucket.photos["a"].s3_region == "eu-central-003"
    error_message = "${bucket.photos["a"].name} is in ${bucket.photos["a"].s3_region}."
  }
  assert {
    condition     = bucket.photos["b"].revision < 0 # not live in this test
    error_message = "Nothing is said of what is not known."
  }
  assert {
    condition     = tonumber(bucket.photos["a"].id) > 0
    error_message = "What cannot be evaluated is a warning."
  }
}

output "region" {
  value = bucket.photos["a"].s3_region
  precondition {
    condition     = bucket.photos["a"].s3_region != ""
    error_message = "There is no region."
  }
}

bucket "left_alone" {
  name           = "acme-left-alone"
  ignore_changes = all
}
