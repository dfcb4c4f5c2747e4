package schema_test

import (
	"testing"

	"b2form/schema"
	"b2form/schema/syntax"
)

// Every block and argument has words for the reader, and no name means two things.
func TestBlocksAreSound(t *testing.T) {
	kinds := schema.Kinds()
	blocks := append(syntax.NonResourceBlocks(kinds), syntax.ResourceBlock())
	for _, b := range blocks {
		if b.Example == "" {
			t.Errorf("%s has no example", b.HeaderText())
		}
		soundBlock(t, b, b.HeaderText())
	}
	for _, k := range kinds {
		if syntax.FindFixedBlock(k.Name) != nil {
			t.Errorf("%s is a kind and a block of the language", k.Name)
		}
		for _, name := range syntax.ResourceBlock().AllowedNames() {
			if k.FindAttr(name) != nil {
				t.Errorf("%s has an attribute %s, which every resource takes", k.Name, name)
			}
		}
	}
}

func soundBlock(t *testing.T, b *syntax.BlockSpec, path string) {
	t.Helper()
	if b.Doc == "" || b.FormLabel != "" && b.CommonDoc == "" {
		t.Errorf("%s lacks words", path)
	}
	seen := map[string]bool{}
	for _, a := range b.Arguments {
		if a.Doc == "" || a.Type == "" || a.MayReferTo == "" || a.Required && a.Default != "" {
			t.Errorf("%s in %s lacks words, a type or what it sees, or is required with a default", a.Name, path)
		}
		if seen[a.Name] || b.NestedForms(a.Name) != nil || b.FindHint(a.Name) != nil {
			t.Errorf("%s in %s means two things", a.Name, path)
		}
		seen[a.Name] = true
	}
	for i := range b.Blocks {
		soundBlock(t, &b.Blocks[i], path+" "+b.Blocks[i].HeaderText())
	}
}
