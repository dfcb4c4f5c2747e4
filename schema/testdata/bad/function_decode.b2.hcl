locals {
  json = jsondecode("{") # ERROR: Error in function call
  yaml = yamldecode("a: [") # ERROR: Error in function call
  text = base64gunzip("aGVsbG8=") # ERROR: Invalid function argument
  code = textencodebase64("a", "no-such") # ERROR: Invalid function argument
}
