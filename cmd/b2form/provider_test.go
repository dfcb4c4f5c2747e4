package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/rogpeppe/go-internal/testscript"

	"b2form/internal/terraform"
	"b2form/internal/testrun"
	"b2form/schema"
)

// A providerBlock is a block in the schema of the official provider.
type providerBlock struct {
	Attributes map[string]struct {
		Type               any
		Required, Optional bool
	}
	BlockTypes map[string]struct {
		Block    providerBlock
		MaxItems int `json:"max_items"`
		MinItems int `json:"min_items"`
	} `json:"block_types"`
}

type providerSchema struct {
	Resources map[string]struct{ Block providerBlock } `json:"resource_schemas"`
	Data      map[string]struct{ Block providerBlock } `json:"data_source_schemas"`
}

// readProviderSchema reads the schema before a test leaves the folder of its package.
func readProviderSchema(t *testing.T) providerSchema {
	t.Helper()
	text, err := os.ReadFile("testdata/provider/schema-0.13.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Providers map[string]providerSchema `json:"provider_schemas"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all.Providers["registry.terraform.io/backblaze/b2"]
}

// fits is the command of scripts that holds a file for Terraform to the provider's schema.
func (p providerSchema) fits(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: fits FILE")
	}
	src := []byte(ts.ReadFile(args[0]))
	file, diags := hclsyntax.ParseConfig(src, args[0], hcl.InitialPos)
	if diags.HasErrors() {
		ts.Fatalf("%v", diags)
	}
	if string(hclwrite.Format(src)) != string(src) {
		ts.Fatalf("%s is not in the usual style", args[0])
	}
	for _, name := range []string{"terraform", "tofu"} {
		path, err := exec.LookPath(name)
		if err != nil || !testrun.Exhaustive() {
			continue // where they are installed they have the last word on style
		}
		c := exec.Command(path, "fmt", "-check", "-")
		c.Dir, c.Stdin = ts.Getenv("WORK"), bytes.NewReader(src)
		if out, err := c.CombinedOutput(); err != nil {
			ts.Fatalf("%s fmt: %v\n%s", name, err, out)
		}
	}
	for _, b := range file.Body.(*hclsyntax.Body).Blocks {
		switch b.Type {
		case "resource":
			ts.Check(p.Resources[b.Labels[0]].Block.check(b.Labels[0], b.Body))
		case "data":
			ts.Check(p.Data[b.Labels[0]].Block.check(b.Labels[0], b.Body))
		}
	}
}

// check holds a body to a block of the schema.
func (s providerBlock) check(path string, body *hclsyntax.Body) error {
	for name := range body.Attributes {
		if a, ok := s.Attributes[name]; !ok || !a.Required && !a.Optional {
			return fmt.Errorf("%s has no argument %s", path, name)
		}
	}
	for name, a := range s.Attributes {
		if a.Required && body.Attributes[name] == nil {
			return fmt.Errorf("%s needs %s", path, name)
		}
	}
	var seen []string
	for _, b := range body.Blocks {
		if b.Type == "lifecycle" {
			continue
		}
		nested, ok := s.BlockTypes[b.Type]
		if !ok || nested.MaxItems == 1 && slices.Contains(seen, b.Type) {
			return fmt.Errorf("%s has no block %s, or one only", path, b.Type)
		}
		seen = append(seen, b.Type)
		if err := nested.Block.check(path+"."+b.Type, b.Body); err != nil {
			return err
		}
	}
	for name, nested := range s.BlockTypes {
		if nested.MinItems > 0 && !slices.Contains(seen, name) {
			return fmt.Errorf("%s needs a block %s", path, name)
		}
	}
	return nil
}

// Every argument of the provider is carried over, but keys for the encryption of files.
func TestProviderArguments(t *testing.T) {
	for typ, r := range readProviderSchema(t).Resources {
		text := fmt.Sprintf("resource %q \"x\" {\n%s}\n", typ, r.Block.sample())
		result, err := terraform.Migrate(terraform.Request{
			Kinds: schema.Kinds(), HasFunction: isUsableFunctionFunc(),
			SHA1OfFile: func(_, _ string) (string, error) { return "", nil },
			ReadFiles: func(string) ([]terraform.Source, error) {
				return []terraform.Source{{Name: "main.tf", Text: []byte(text)}}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, left := range result.NotCarriedOver {
			t.Errorf("%s: %s\n%s", typ, left.Remark, text)
		}
	}
}

// sample writes every argument and block that can be given.
func (s providerBlock) sample() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.Attributes)) {
		a := s.Attributes[name]
		if !a.Required && !a.Optional || name == "id" || name == "bucket_id" && s.Attributes["bucket_ids"].Optional {
			continue
		}
		value := `"x"`
		switch kind := fmt.Sprint(a.Type); {
		case strings.HasPrefix(kind, "[map"):
			value = "{}"
		case strings.HasPrefix(kind, "["):
			value = `[var.x]`
		case kind == "bool", kind == "number":
			value = map[string]string{"bool": "true", "number": "1"}[kind]
		}
		b.WriteString(name + " = " + value + "\n")
	}
	for _, name := range slices.Sorted(maps.Keys(s.BlockTypes)) {
		if name != "key" {
			b.WriteString(name + " {\n" + s.BlockTypes[name].Block.sample() + "}\n")
		}
	}
	return b.String()
}
