terraform {} # ERROR: Terraform block
provider "b2" {} # ERROR: Terraform block
