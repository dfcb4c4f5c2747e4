variable "greeting" {
  type      = string
  sensitive = true
  default   = "hello"
}

locals {
  text = "<h1>Acme</h1>\n"
}

bucket "site" {
  name = "acme-site"
}

file "index" {
  bucket       = bucket.site
  name         = "index.html"
  content      = local.text
  content_type = "text/html; charset=utf-8"
  info         = { Team = "web", b2-cache-control = "max-age=3600" }
}

# By a plain name of any case: the bucket is needed all the same.
file "public" {
  for_each = fileset(path.module, "public/**")
  bucket   = "ACME-site"
  name     = trimprefix(each.value, "public/")
  source   = each.value
}

file "greeting" {
  bucket         = bucket.site
  name           = "greeting.txt"
  content        = "${var.greeting}\n"
  force_destroy  = true
  ignore_changes = [content, info]
}

module "page" {
  source = "./page"
  bucket = bucket.site
}

output "sha1" {
  value = {
    index  = file.index.sha1
    css    = file.public["public/css/site.css"].sha1
    module = module.page.sha1
  }
}
