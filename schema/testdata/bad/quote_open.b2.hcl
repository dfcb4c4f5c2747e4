bucket "photos" {
  name = "acme-photos # ERROR: Invalid multi-line string + ERROR: Unterminated template string
} # ERROR: Invalid multi-line string
