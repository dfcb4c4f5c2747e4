resource "b2_bucket" "photos" { # ERROR: Terraform block
  bucket_name = "acme-photos"   # ERROR: Terraform argument
  replication_configuration {   # ERROR: Terraform argument
  }
}
bucket "copy" {
  name = "acme-copy"
  replication {
    as_replication_source { # ERROR: Terraform argument
    }
    destination {
      source_to_destination_key_mapping = {} # ERROR: Terraform argument
    }
    source {
      source_application_key_id = "reader" # ERROR: Terraform argument
      rules {
        replication_rule_name = "copy"      # ERROR: Terraform argument
        destination_bucket_id = "acme-copy" # ERROR: Terraform argument
      }
    }
  }
}
