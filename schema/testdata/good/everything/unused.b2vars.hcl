level = 99
