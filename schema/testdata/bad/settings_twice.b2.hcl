b2form {
}

b2form { # ERROR: Duplicate b2form block
}
