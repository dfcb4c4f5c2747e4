resource "aws_s3_bucket" "x" {} # ERROR: Terraform block
resource "bucket" "y" {} # ERROR: Terraform block
