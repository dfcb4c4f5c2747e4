account = "d2e6b27577ea"
teams = {
  web = { label = "Web" }
  api = { days = 0 }
}
