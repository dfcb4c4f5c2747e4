package schema_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"b2form/schema"
)

// What people try in the first hour is answered with what to write instead.
func TestMessagesSayWhatToWrite(t *testing.T) {
	checkHints(t, []hint{
		{`output "x" { value = "in ${bucket.one}" }`, "write bucket.one.name for its name"},
		{`output "x" { value = upper(bucket.many["a"]) }`, `write bucket.many["a"].name for its name`},
		{`output "x" { value = bucket.many[*].name }`, "write values(bucket.many)[*]"},
		{`output "x" { value = bucket.many.name }`, `name one, as bucket.many["KEY"].name`},
		{`output "x" { value = list("a") }`, `write [1, 2], or tolist([1, 2])`},
		{`output "x" { value = lg() }`, `There is no function named "lg". Did you mean "log"?`},
		{`output "x" { value = mog(1) }`, `There is no function named "mog". Did you mean "log"?`}, // others are as near
		{`output "x" { value = uuid() }`, "give such a value as a variable"},
		{`variable "x" { type = "list" }`, "type = list(string) without quotes"},
		{`variable "x" { type = lst(string) }`, `Did you mean "list"?`},
		{`bucket "x" {
			name            = "acme-x"
			lifecycle_rules = keep_only_last_version
		}`, "keep_only_last_version is a function: write keep_only_last_version() for its value."},
		{`bucket "x" {
			name            = "acme-x"
			lifecycle_rules = keep_prior_versions
		}`, "keep_prior_versions is a function: write keep_prior_versions(…) for its value, with its arguments"},
		{`output "x" { value = max }`, "max is a function: write max(…)"},
		{`output "x" { value = maxx }`, `If a text is meant, put it into quotes: "maxx".`},
		{`output "x" { value = "C:\Users\Hans\joplin.env" }`,
			`eight hexadecimal digits. A path of Windows may have / in place of each \, as in "C:/Users"; else write a backslash as \\.`},
		{`output "x" { value = "joplin\.env" }`, `valid escape sequence selector. A path of Windows`},
		{`output "x" { value = bucket.many["aa"].name }`, `Did you mean "a"?`},
		{`locals { o = { alpha = 1 } }
		  output "x" { value = local.o.alhpa }`, `Did you mean "alpha"?`},
		{`variable "source" { default = 1 }`, "Choose another name"},
		{`module "x" { source = "hashicorp/x/aws" }`, "copy the folder beside the configuration"},
		{`module "gone" {
			source   = "./gone"
			for_each = { a = 1 }
		}
		output "x" { value = module.gone.name }`, `name one, as module.gone["KEY"].name`},
		{`import {
			to = b2_bucket.one
			id = "x"
		}`, "Write bucket.one instead of b2_bucket.one"},
		{`resource "random_id" "x" { byte_length = 4 }`, "make it a variable"},
		{`resource "local_sensitive_file" "x" {}`, `deliver "file"`},
		{`resource "b2_bucket_notification_rules" "x" { bucket_id = b2_bucket.one.id }`, "Write bucket instead of bucket_id"},
		{`output "x" { value = data.b2_account_info.x.account_id }`, "Write data.account.x."},
		{`key "x" {
			name    = "x"
			access  = "read_only"
			buckets = [bucket.one.id]
		}`, "refer to it as a whole, as bucket.NAME"},
		{`key "x" {
			name    = "x"
			access  = "read_only"
			buckets = bucket.one
		}`, "put it into brackets"},
		{`bucket "x" {
			name = "acme_x"
			info = { owner = sensitive("hunter2") }
		}`, `"acme_x" holds something else`},
		{`bucket "x" {
			name            = "acme-x"
			info            = { owner = sensitive("hunter2") }
			lifecycle_rules = [{ file_name_prefix = "raw/" }]
		}`, "days_from_uploading_to_hiding"},
		{`bucket "x" {
			name = "acme-x"
			info = { "${sensitive("an owner")}" = "x" }
		}`, "Details are left out"},
		{`key "x" {
			name   = "x"
			access = "read_only"
			dynamic "deliver" {
				for_each = []
				content {}
			}
		}`, "write each of them out"},
	})
}

// So are references of Terraform, data that is not declared, and prefixes that nothing has.
func TestReferencesAndPrefixesSayWhatToWrite(t *testing.T) {
	checkHints(t, []hint{
		{`key "x" {
			name    = "x"
			access  = "read_only"
			buckets = [b2_bucket.one.bucket_id]
		}`, "Write bucket.one instead of b2_bucket.one.bucket_id"},
		{`notification_rules "x" { bucket = b2_bucket.many["a"].id }`, `Write bucket.many["a"] instead of b2_bucket.many["a"].id`},
		{`output "x" { value = b2_bucket.one.bucket_id }`, "Write bucket.one.id instead of b2_bucket.one.bucket_id"},
		{`output "x" { value = b2_bucket.many["a"].bucket_name }`, `Write bucket.many["a"].name instead of`},
		{`output "x" { value = data.keys.all.names }`, `Declare it: data "keys" "all" {}.`},
		{`output "x" { value = data.bucket.none.name }`, `Declare it in a data "bucket" "none" block`},
		{`key "x" {
			name        = "x"
			access      = "read_only"
			name_prefix = "/foo/*"
			buckets     = [bucket.one]
		}`, `Write "foo/".`},
		{`key "x" {
			name        = "x"
			access      = "read_only"
			name_prefix = "/f*o"
			buckets     = [bucket.one]
		}`, "B2 knows no wildcards here"},
	})
}

// A hint is what a message says of what is written beside the buckets "one" and "many".
type hint struct{ write, want string }

func checkHints(t *testing.T, list []hint) {
	t.Helper()
	const blocks = `
		bucket "one" { name = "acme-photos" }
		bucket "many" {
			for_each = toset(["a"])
			name     = "acme-photos-${each.key}"
		}
	`
	for _, c := range list {
		_, diags := schema.Load(options(write(t, map[string]string{"main.b2.hcl": blocks + c.write})))
		said := false
		for _, d := range diags {
			said = said || strings.Contains(d.Detail, c.want)
		}
		if !said {
			t.Errorf("%s\nsays nothing of %q: %v", c.write, c.want, diags)
		}
	}
}

// In a module a path is that of the configuration, as everywhere.
func TestMissingFileOfTheModule(t *testing.T) {
	dir := write(t, map[string]string{"main.b2.hcl": `module "site" { source = "./site" }`})
	site := filepath.Join(dir, "site")
	if err := errors.Join(os.Mkdir(site, 0o755), os.WriteFile(filepath.Join(site, "index.html"), nil, 0o644),
		os.WriteFile(filepath.Join(site, "main.b2.hcl"), []byte(`
		file "index" {
			bucket = "acme-site"
			name   = "index.html"
			source = "index.html"
		}
		output "text" { value = file("index.html") }
	`), 0o644)); err != nil {
		t.Fatal(err)
	}
	_, diags := schema.Load(options(dir))
	if len(diags) != 2 {
		t.Fatalf("want two errors, also for an output that nothing refers to: %v", diags)
	}
	for _, d := range diags {
		if !strings.Contains(d.Detail, `write "${path.module}/index.html"`) {
			t.Errorf("no hint: %s", d.Detail)
		}
	}
}
