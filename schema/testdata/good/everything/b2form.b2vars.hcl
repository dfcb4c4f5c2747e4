account = "000000000001"
level = 2
