output "n" {
  value = tonumber("twelve") # ERROR: Invalid function argument
}
