bucket "photos" {
  name = "acme-photos"
}
notification_rules "empty" { bucket = "acme-empty" } # ERROR: Missing required argument
notification_rules "names" {
  bucket = "acme-names"
  rules {
    name        = "short" # ERROR: Invalid rule name
    event_types = []      # ERROR: Rule without events
    target_configuration {
      url = "http://www.example.com" # ERROR: Invalid URL
    }
  }
  rules {
    name                 = "long-enough"
    event_types          = ["b2:ObjectCreated:Uplaod"] # ERROR: Unknown event type
    max_events_per_batch = 51                          # ERROR: Invalid size of a batch
    target_configuration {
      target_type                = "queue" # ERROR: Invalid type of target
      url                        = "https://www.example.com"
      hmac_sha256_signing_secret = "short" # ERROR: Invalid signing secret
    }
  }
}
notification_rules "beside" {
  bucket = bucket.photos
  rules {
    name        = "first-rule"
    event_types = ["b2:ObjectDeleted:*"]
    target_configuration { url = "https://www.example.com" }
  }
  rules {
    name        = "first-rule" # ERROR: Duplicate rule name
    event_types = ["b2:ObjectCreated:Copy"]
    target_configuration { url = "https://www.example.com" }
  }
  rules {
    name               = "third-rule"
    object_name_prefix = "library/"
    event_types        = ["b2:ObjectDeleted:Delete"] # ERROR: Rules overlap
    target_configuration { url = "https://www.example.com" }
  }
}
notification_rules "again" {
  bucket = "acme-photos" # ERROR: Duplicate bucket
  rules {
    name        = "third-rule"
    event_types = ["b2:ObjectDeleted:*", "b2:ObjectDeleted:Delete"] # ERROR: Event type named twice
    target_configuration { url = "https://www.example.com" }
  }
}
