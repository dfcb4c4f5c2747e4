bucket "logs" {
  name = "acme-logs"
  lifecycle_rules {
    file_name_prefix             = "raw/*" # WARNING: Prefix holds a *
    days_from_hiding_to_deleting = 1
  }
}

key "reader" {
  name        = "reader"
  access      = "read_only"
  buckets     = [bucket.logs]
  name_prefix = "/raw" # WARNING: Prefix begins with a slash
}

notification_rules "logs" {
  bucket = bucket.logs
  rules {
    name               = "uploads"
    event_types        = ["b2:ObjectCreated:*"]
    object_name_prefix = "raw/*.log" # WARNING: Prefix holds a *
    target_configuration {
      url = "https://www.example.com"
    }
  }
}
