package view

import (
	"fmt"
	"strings"

	"b2form/schema/kind"
)

// Capabilities writes a key that has these capabilities, as a block to paste.
func (t TextUI) Capabilities(list []string) {
	fmt.Fprintf(t.Out, "key \"b2form\" {\n  name         = \"b2form\"\n  capabilities = [%s]\n}\n", quotedList(list))
}

// Capabilities writes one line.
func (j JSONUI) Capabilities(list []string) {
	j.emit("info", fmt.Sprintf("The plan takes %d capabilities", len(list)), "capabilities", jsonFields{"capabilities": list})
}

func quotedList(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return `"` + strings.Join(list, `", "`) + `"`
}

// CapabilitiesPage writes the page about what the credentials of b2form must be allowed to do, from
// the descriptors.
func CapabilitiesPage(kinds []*kind.Kind) string {
	var b strings.Builder
	b.WriteString(`# Capabilities

What the application key in B2_APPLICATION_KEY_ID must be allowed to do. "b2form plan -capabilities" prints a key block with the
least that one plan takes. plan warns of what is missing, and apply refuses before it changes anything.

| command | takes |
|---|---|
| validate, fmt, graph, schema, functions, version, state list | no credentials at all |
| show FILE | no credentials at all |
| plan, output, show, keys, console, graph -plan | reading, of the kinds that are declared, recorded or asked for by data |
| apply, destroy, rotate | reading, and what the steps of the plan take |
| all, with the state in a bucket | listBuckets, readFiles and writeFiles in that bucket; changing the state also writeBuckets |

| | reading | making and changing | destroying | destroying with force_destroy |
|---|---|---|---|---|
`)
	for _, k := range kinds {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", k.Name, codeList(k.ReadCapabilities), codeList([]string{k.WriteCapability}),
			codeList([]string{k.DeleteCapability}), codeList(k.Destroy.ForceCapabilities))
	}
	b.WriteString("\nSome attributes take more:\n\n| attribute | comparing it | setting it |\n|---|---|---|\n")
	for _, k := range kinds {
		for _, a := range k.Settable() {
			if a.WirePath != "" && (a.ReadCapability != "" || a.WriteCapability != "") {
				fmt.Fprintf(&b, "| `%s` of %s | %s | %s |\n", a.Name, k.Name, codeList([]string{a.ReadCapability}),
					codeList([]string{a.WriteCapability}))
			}
		}
	}
	b.WriteString(`
A key that is limited to buckets sees only these, and can make neither buckets nor keys; one that is limited to a prefix of file names can
make files of such names only. A key with writeKeys may make keys that can do more than itself: B2 allows it.
`)
	return b.String()
}

func codeList(list []string) string {
	text := strings.Join(list, "`, `")
	if text == "" {
		return "–"
	}
	return "`" + text + "`"
}
