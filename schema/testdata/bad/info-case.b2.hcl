bucket "a" {
  name = "acme-photos"
  info = {
    Team = "web" # ERROR: Duplicate info key
    team = "app"
  }
}
