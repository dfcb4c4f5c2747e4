package terraform_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"golang.org/x/tools/txtar"

	"b2form/internal/terraform"
	"b2form/schema"
	"b2form/schema/addr"
)

// request carries files over that are by folder.
func request(folders map[string][]terraform.Source, state []byte) terraform.Request {
	r := terraform.Request{Kinds: schema.Kinds(), Now: time.Unix(0, 0), HasFunction: func(name string) bool { return name != "timestamp" },
		SHA1OfFile: func(_, _ string) (string, error) { return "", nil },
		ReadFiles:  func(dir string) ([]terraform.Source, error) { return folders[dir], nil }}
	if state != nil {
		r.State = &terraform.Source{Name: "terraform.tfstate", Text: state}
	}
	return r
}

// BenchmarkMigrate carries 200 files over, with a bucket and a key in each.
func BenchmarkMigrate(b *testing.B) {
	var sources []terraform.Source
	var state strings.Builder
	state.WriteString(`{"version": 4, "resources": [`)
	for n := range 200 {
		sources = append(sources, terraform.Source{Name: fmt.Sprintf("f%03d.tf", n), Text: fmt.Appendf(nil, `
# Bucket %[1]d.
resource "b2_bucket" "b%[1]d" {
  bucket_name = "acme-b-%[1]d"
  bucket_type = "allPrivate"
  lifecycle_rules {
    file_name_prefix             = ""
    days_from_hiding_to_deleting = local.days%[1]d
  }
}

locals {
  days%[1]d = 7
}

resource "b2_application_key" "k%[1]d" {
  key_name     = "k-%[1]d"
  capabilities = ["listBuckets", "readFiles"]
  bucket_ids   = [b2_bucket.b%[1]d.bucket_id]
}

output "id%[1]d" {
  value = b2_bucket.b%[1]d.bucket_id
}
`, n)})
		fmt.Fprintf(&state, `{"mode": "managed", "type": "b2_bucket", "name": "b%[1]d", 
			"instances": [{"attributes": {"bucket_id": "id%[1]d", "bucket_name": "acme-b-%[1]d"}}]},
			{"mode": "managed", "type": "b2_application_key", "name": "k%[1]d",
			"instances": [{"attributes": {"application_key_id": "id%[1]d", "key_name": "k-%[1]d"}}]},`, n)
	}
	text := strings.TrimSuffix(state.String(), ",") + "]}"
	for b.Loop() {
		result, err := terraform.Migrate(request(map[string][]terraform.Source{".": sources}, []byte(text)))
		if err != nil || len(result.Files) != 200 || len(result.Entries) != 400 {
			b.Fatalf("%v: %d files, %d entries", err, len(result.Files), len(result.Entries))
		}
	}
}

// FuzzMigrate holds what is written to the syntax of HCL and to the usual style, whatever
// is read. The seeds are the configurations that scripts carry over.
func FuzzMigrate(f *testing.F) {
	paths, err := filepath.Glob("../../cmd/b2form/testdata/migrate/*.txtar")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		folders, state := map[string][]terraform.Source{}, []byte(nil)
		for _, file := range txtar.Parse(text).Files {
			dir, name := filepath.Dir(file.Name), filepath.Base(file.Name)
			if name == "terraform.tfstate" {
				state = file.Data
			} else if terraform.IsConfigOrTfvars(name) {
				folders[dir] = append(folders[dir], terraform.Source{Name: name, Text: file.Data})
			}
		}
		result, err := terraform.Migrate(request(folders, state))
		if err != nil {
			return
		}
		for _, file := range result.Files {
			if _, diags := hclwrite.ParseConfig(file.Text, file.Path, hcl.InitialPos); diags.HasErrors() {
				t.Errorf("%s: %v\n%s", file.Path, diags, file.Text)
			}
		}
		if !slices.IsSortedFunc(result.Entries, func(a, b addr.StateEntry) int { return a.Addr.Compare(b.Addr) }) {
			t.Errorf("entries are not sorted: %v", result.Entries)
		}
	})
}
