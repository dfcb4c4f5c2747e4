package examples_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPolicies runs the tests of the ready policies, each of which has a configuration
// that passes and one that does not.
func TestPolicies(t *testing.T) {
	policies, err := filepath.Glob("policies/*.b2.hcl")
	if err != nil || len(policies) < 20 {
		t.Fatalf("%d policies, want 20 or more: %v", len(policies), err)
	}
	readme, err := os.ReadFile("policies/README.md")
	if err != nil {
		t.Fatal(err)
	}
	r := run{t, build(t), "policies"}
	r.b2form(0, "fmt", "-check", "-recursive")
	out := r.b2form(0, "test")
	for _, path := range policies {
		name := strings.TrimSuffix(filepath.Base(path), ".b2.hcl")
		_, after, _ := strings.Cut(out, filepath.Join("tests", name+".b2test.hcl")+"... pass\n")
		own, _, _ := strings.Cut(after, ".b2test.hcl")
		if !strings.Contains(own, `run "passes"... pass`) || !strings.Contains(own, `run "fails"... pass`) {
			t.Errorf("%s has no passing and failing test:\n%s", name, own)
		}
		if !strings.Contains(string(readme), "("+name+".b2.hcl)") {
			t.Errorf("the README does not list %s", name)
		}
	}
}
