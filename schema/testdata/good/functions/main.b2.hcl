output "text" {
  value = {
    startswith  = [startswith("photos", "pho"), startswith("photos", "x")]
    endswith    = endswith("photos", "tos")
    strcontains = strcontains("photos", "oto")
    replace     = [replace("a-b-c", "-", "."), replace("a1b22", "/[0-9]+/", "#")]
    indent      = indent(2, "a\nb")
    trims       = [trim("xax", "x"), trimprefix("xa", "x"), trimsuffix("ax", "x"), trimspace(" a "), chomp("a\n")]
    cases       = [upper("a"), lower("A"), title("ab cd"), strrev("abc")]
    format      = [format("%03d|%s", 7, "x"), join(",", formatlist("%s!", ["a", "b"])), substr("photos", 1, 3)]
    split       = split(",", "a,b")
    regex       = [regex("[a-z]+", "12ab"), jsonencode(regexall("[a-z]", "a1b"))]
    length      = [length("añb"), length([1, 2]), length({ a = 1 }), length(toset(["a"]))]
    urlencode   = [urlencode("a b/c+"), urldecode("a+b%2Fc")]
  }
}

output "numbers" {
  value = [abs(-1), ceil(1.2), floor(1.8), log(8, 2), max(1, 3), min(1, 3), parseint("ff", 16), pow(2, 3), signum(-4), sum([1, "2"])]
}

output "collections" {
  value = {
    alltrue      = [alltrue([]), alltrue([true, false]), anytrue([]), anytrue([false, true])]
    chunklist    = chunklist(["a", "b", "c"], 2)
    coalesce     = [coalesce("", "b"), coalescelist([], ["c"])[0]]
    compact      = compact(["a", "", null])
    concat       = concat([1], ["a"])
    contains     = contains(["a"], "a")
    distinct     = distinct(["a", "a"])
    element      = element(["a", "b"], 3)
    flatten      = flatten([["a"], ["b", ["c"]]])
    index        = index(["a", "b"], "b")
    keys         = keys({ b = 1, a = 2 })
    lookup       = [lookup({ a = 1 }, "a"), lookup({ a = 1 }, "b", 7), lookup({ a = "x", b = 2 }, "a")]
    matchkeys    = matchkeys(["i1", "i2", "i3"], ["us", "eu", "us"], ["us"])
    merge        = merge({ a = 1 }, { b = 2 })
    one          = [one([]), one(["x"])]
    range        = range(3)
    reverse      = reverse(["a", "b"])
    sets         = [setunion(["a"], ["b"]), setintersection(["a", "b"], ["b"]), setsubtract(["a", "b"], ["b"])]
    setproduct   = setproduct(["a"], ["b", "c"])
    slice        = slice(["a", "b", "c"], 1, 2)
    sort         = sort(["b", "a"])
    transpose    = transpose({ a = ["x", "y"], b = ["y"] })
    values       = values({ a = 1 })
    zipmap       = zipmap(["a"], [1])
  }
}

output "encoding" {
  value = {
    base64 = [base64encode("hello"), base64decode("aGVsbG8=")]
    csv    = csvdecode("a,b\n1,2")
    json   = [jsonencode({ a = [1, null] }), jsondecode("{\"a\": 1}").a]
    yaml   = [yamlencode({ a = ["b"] }), yamldecode("a: [1, 2]").a[1]]
    hashes = [md5("a"), sha1("a"), sha256("a"), base64sha256("a"), length(sha512("a")), length(base64sha512("a"))]
    uuid   = uuidv5("dns", "www.example.com")
    files  = [file("main.txt"), filebase64("main.txt"), filesha1("main.txt"), fileexists("no"), basename("a/b.c"), dirname("a/b.c")]
    set    = fileset(path.module, "*.txt")
  }
}

output "network" {
  value = [cidrhost("10.0.0.0/8", 5), cidrnetmask("10.0.0.0/12"), cidrsubnet("10.0.0.0/8", 8, 2), jsonencode(cidrsubnets("10.0.0.0/8", 8, 4))]
}

output "time" {
  value = [formatdate("YYYY-MM-DD", "2026-01-31T12:00:00Z"), timeadd("2026-01-31T12:00:00Z", "1h"), timecmp("2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00")]
}

output "types" {
  value = {
    to       = [tobool("true"), tonumber("1"), tostring(1), tolist(toset(["a"])), tomap({ a = 1 })]
    try      = [try(regex("x", "a"), "fallback"), can(regex("x", "a"))]
    marks    = [issensitive(sensitive("x")), issensitive("x"), nonsensitive(sensitive("x"))]
    sets     = toset(["b", "a"])
  }
}

output "presets" {
  value = [keep_only_last_version(), keep_prior_versions(30), keep_all_versions()]
}
