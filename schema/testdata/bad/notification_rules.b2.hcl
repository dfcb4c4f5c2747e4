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
notification_rules "headers" {
  bucket = "acme-headers"
  rules {
    name        = "by-headers"
    event_types = ["b2:ObjectDeleted:*"]
    target_configuration {
      url = "https://www.example.com:8443/a%20b?c=d"
      custom_headers {
        name  = "Bad Name:\r\n" # ERROR: Invalid header name
        value = ""
      }
      custom_headers {
        name  = "" # ERROR: Invalid header name
        value = "Bearer x\n" # ERROR: Invalid header value
      }
    }
  }
  rules {
    name               = "by-names"
    object_name_prefix = "a/"
    event_types        = ["b2:ObjectCreated:*"]
    target_configuration {
      url = "https://www.example.com"
      custom_headers {
        name  = "Authorization"
        value = "Bearer ü"
      }
      custom_headers {
        name  = "X-Team"
        value = "web"
      }
      custom_headers {
        name  = "authorization" # ERROR: Duplicate header
        value = "x"
      }
    }
  }
}
notification_rules "urls" {
  bucket = "acme-urls"
  rules {
    name               = "rule-0"
    object_name_prefix = "0/"
    event_types        = ["b2:HideMarkerCreated:*"]
    target_configuration { url = "HTTPS://www.example.com/" } # ERROR: Invalid URL
  }
  rules {
    name               = "rule-1"
    object_name_prefix = "1/"
    event_types        = ["b2:HideMarkerCreated:*"]
    target_configuration { url = "https://www.example.com/a b" } # ERROR: Invalid URL
  }
  rules {
    name               = "rule-2"
    object_name_prefix = "2/"
    event_types        = ["b2:HideMarkerCreated:*"]
    target_configuration { url = "https://www.example.com:99999/" } # ERROR: Invalid URL
  }
  rules {
    name               = "rule-3"
    object_name_prefix = "3/"
    event_types        = ["b2:HideMarkerCreated:*"]
    target_configuration { url = "https://www.example.com:0/" } # ERROR: Invalid URL
  }
  rules {
    name               = "rule-4"
    object_name_prefix = "4/"
    event_types        = ["b2:HideMarkerCreated:*"]
    target_configuration { url = "https://:443/" } # ERROR: Invalid URL
  }
  rules {
    name               = "rule-5"
    object_name_prefix = "5/"
    event_types        = ["b2:HideMarkerCreated:*"]
    target_configuration { url = "https://www.example.com/\u00a0" } # ERROR: Invalid URL
  }
  rules {
    name               = "rule-6"
    object_name_prefix = "6/"
    event_types        = ["b2:HideMarkerCreated:*"]
    target_configuration { url = "https:///x" } # ERROR: Invalid URL
  }
}
