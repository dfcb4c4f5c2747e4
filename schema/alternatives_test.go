package schema_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"b2form/schema"
	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// instead finds the part of a text that names what something excludes.
var instead = regexp.MustCompile(`(?i)(instead of|not beside|this or|exactly one of) [^.:;]*`)

// excluded lists the names beside an argument that its text calls alternatives to it.
func excluded(name, doc string, beside []string) []string {
	var out []string
	for _, part := range instead.FindAllString(doc, -1) {
		for _, word := range strings.FieldsFunc(part, func(r rune) bool { return strings.ContainsRune(" ,`", r) }) {
			if word != name && slices.Contains(beside, word) {
				out = append(out, word)
			}
		}
	}
	return out
}

// An either is two arguments of which a block may have one, and a configuration
// that has both.
type either struct{ block, one, other, source string }

func alternatives() []either {
	var out []either
	for _, k := range schema.Kinds() {
		for i := range k.Attrs {
			a := &k.Attrs[i]
			for _, other := range excluded(a.Name, a.Doc, attrNames(k)) {
				text := k.Name + " \"x\" {\n" + a.Name + " = " + sampleOf(a) + "\n" + other + " = " + sampleOf(k.FindAttr(other)) + "\n"
				for name, value := range required(k.Name) {
					if name != a.Name && name != other && !slices.Contains(excluded(name, k.FindAttr(name).Doc, attrNames(k)), a.Name) {
						text += name + " = " + value + "\n"
					}
				}
				out = append(out, either{k.Name, a.Name, other, text + "}\n"})
			}
		}
	}
	for _, b := range append(syntax.NonResourceBlocks(schema.Kinds()), syntax.ResourceBlock()) {
		out = append(out, alternativesIn(b, "")...)
	}
	return out
}

// within are the beginnings and ends of blocks that nested ones stand in.
var within = map[string][2]string{"deliver": {"key \"x\" {\nname = \"x\"\naccess = \"read_only\"\n", "}\n"}}

func alternativesIn(b *syntax.BlockSpec, in string) []either {
	var out []either
	for i := range b.Arguments {
		a := &b.Arguments[i]
		for _, other := range excluded(a.Name, a.Doc, b.AllowedNames()) {
			header, more := b.HeaderText(), ""
			if b.Type == "resource" {
				header, more = `bucket "x"`, "name = \"acme-photos\"\n"
			}
			for _, r := range b.Arguments {
				if r.Required && r.Name != a.Name && r.Name != other {
					more += r.Name + " = " + valueOf(&r) + "\n"
				}
			}
			text := header + " {\n" + a.Name + " = " + valueOf(a) + "\n" + other + " = " + valueOf(b.FindArgument(other)) + "\n" + more +
				"}\n"
			around := within[in]
			out = append(out, either{header, a.Name, other, around[0] + text + around[1]})
		}
	}
	for i := range b.Blocks {
		out = append(out, alternativesIn(&b.Blocks[i], b.Blocks[i].Type)...)
	}
	return out
}

func attrNames(k *kind.Kind) []string {
	var out []string
	for i := range k.Attrs {
		out = append(out, k.Attrs[i].Name)
	}
	return out
}

func sampleOf(a *kind.Attr) string { return kind.FormatValue(a.Samples[0]) }

func valueOf(a *syntax.ArgumentSpec) string {
	switch a.Name {
	case "source":
		return `"./m"`
	case "recipients":
		return `["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]`
	}
	if len(a.Choices) > 0 {
		return `"` + a.Choices[0] + `"`
	}
	return map[syntax.ArgumentType]string{syntax.Text: `"acme-photos"`, syntax.Texts: `["acme-photos"]`, syntax.Count: "1",
		syntax.Share:      "1",
		syntax.Collection: `toset(["a"])`, syntax.Address: "bucket.y", syntax.TextMap: `{ A = "a" }`}[a.Type]
}

// TestAlternativesExcludeEachOther gives every two arguments of which one stands
// instead of the other, as the reference says, at once.
func TestAlternativesExcludeEachOther(t *testing.T) {
	all := alternatives()
	for _, e := range all {
		t.Run(e.block+" "+e.one+" "+e.other, func(t *testing.T) {
			dir := write(t, map[string]string{"main.b2.hcl": e.source})
			module := filepath.Join(dir, "m")
			if err := errors.Join(os.Mkdir(module, 0o755), os.WriteFile(filepath.Join(module, "main.b2.hcl"), nil, 0o644)); err != nil {
				t.Fatal(err)
			}
			_, diags := schema.Load(options(dir))
			named := 0
			for _, d := range diags {
				if text := d.Summary + " " + d.Detail; strings.Contains(text, e.one) && strings.Contains(text, e.other) {
					named++
				}
			}
			if named != 1 || !diags.HasErrors() {
				t.Errorf("%s\n%v", e.source, diags)
			}
			if !slices.ContainsFunc(all, func(o either) bool { return o.block == e.block && o.one == e.other && o.other == e.one }) {
				t.Errorf("%s says that it excludes %s, but not the other way round", e.one, e.other)
			}
		})
	}
	if len(all) < 20 {
		t.Errorf("only %d pairs were found", len(all))
	}
}
