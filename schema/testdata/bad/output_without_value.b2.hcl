output "photos" { # ERROR: Missing required argument
}
