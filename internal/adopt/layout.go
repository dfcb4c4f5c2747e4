package adopt

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/schema/addr"
	"b2form/schema/kind"
)

// resolveMarks writes references as such. Where word is the instance of a family that a
// reference leads to, that follows it. What has no label yet stays a mark, if word is
// given.
func (w *writer) resolveMarks(text, familyInstanceKey string) string {
	if !strings.Contains(text, markByte) {
		return text
	}
	parts := strings.Split(text, markByte)
	for i := 1; i < len(parts); i += 2 {
		kindName, rest, _ := strings.Cut(parts[i], " ")
		id, name, _ := strings.Cut(rest, " ")
		parts[i] = w.reference(kindName, id, name, familyInstanceKey, parts[i])
	}
	return strings.Join(parts, "")
}

func (w *writer) reference(kindName, id, name, familyInstanceKey, unresolvedMark string) string {
	at, known := w.referenceTargets[ObjectID{kindName, id}]
	switch {
	case !known && familyInstanceKey != "":
		return markByte + unresolvedMark + markByte
	case !known || at.item == nil && at.addr.Module != "":
		return view.FormatHCLHidingSensitive(cty.StringVal(name))
	case at.item == nil:
		return at.addr.String()
	case at.item.label == "":
		return markByte + unresolvedMark + markByte
	case at.item.requestedAddress != nil:
		return at.item.requestedAddress.String()
	}
	a := addr.Addr{Kind: kindName, Label: at.item.label}
	if at.item.instanceKeys != nil {
		key := at.item.instanceKeyByID[id]
		if key == familyInstanceKey {
			return a.String() + "[each.key]"
		}
		a.Instance = addr.ForEachKey(key)
	}
	return a.String()
}

// renderFiles puts the items into files.
func (w *writer) renderFiles(items []*item) {
	files := map[string]*strings.Builder{}
	to := func(name string) *strings.Builder {
		if files[name] == nil {
			files[name] = &strings.Builder{}
		} else {
			files[name].WriteByte('\n')
		}
		return files[name]
	}
	if w.OnlyAddresses != nil && len(w.result.Notes) > 0 {
		w.notes(to("main"))
	}
	for _, it := range w.arranged(items) {
		b := to(w.fileNameWithoutExtension(it))
		w.block(b, it)
		if w.OnlyAddresses == nil {
			b = to("imports")
			w.importBlock(b, it)
		}
		for _, h := range it.secrets {
			fmt.Fprintf(to("variables"), "variable %q {\n  description = %s\n  type        = string\n  sensitive   = true\n}\n",
				h.VariableName,
				view.FormatHCLHidingSensitive(cty.StringVal(h.about+" of "+it.name)))
		}
		w.addAddrs(it)
	}
	if len(files) > 0 && w.OnlyAddresses == nil {
		b := to("imports")
		b.WriteString("# Not declared, and why:\n#   the master key, which is in no list of keys\n")
		for _, l := range w.result.Undeclarable {
			b.WriteString("#   " + visible.EscapeLine(fmt.Sprintf("%s %q: %s", l.Kind, l.Name, l.Reason)) + "\n")
		}
		if len(w.result.Notes) > 0 {
			w.notes(to("imports"))
		}
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		w.result.Files = append(w.result.Files, File{name, files[name].String()})
	}
}

// notes writes what is to be known of the files, as comments.
func (w *writer) notes(b *strings.Builder) {
	for _, n := range w.result.Notes {
		text := view.Wrap(visible.EscapeLine(n.Text), 76)
		b.WriteString("# " + strings.ReplaceAll(text, "\n", "\n# ") + "\n")
	}
}

func (w *writer) addAddrs(it *item) {
	if it.requestedAddress != nil {
		w.result.Addrs = append(w.result.Addrs, *it.requestedAddress)
		return
	}
	a := addr.Addr{Kind: it.kind.Name, Label: it.label}
	if it.instanceKeys == nil {
		w.result.Addrs = append(w.result.Addrs, a)
		return
	}
	for _, key := range it.instanceKeys {
		a.Instance = addr.ForEachKey(key)
		w.result.Addrs = append(w.result.Addrs, a)
	}
}

// arranged orders items as people read them: a bucket, then what belongs to it alone; at
// the end what belongs to several or to none.
func (w *writer) arranged(items []*item) []*item {
	order := map[*item]int{}
	for i, it := range items {
		order[it] = i
	}
	type position struct {
		bucket string // its label; "\xff": none
		order  int
	}
	at := map[*item]position{}
	for i, it := range items {
		at[it] = position{cmp.Or(w.findOwningBucketLabel(it), "\xff"), i}
	}
	out := slices.Clone(items)
	slices.SortStableFunc(out, func(a, b *item) int {
		if w.Layout == ByKind && a.kind != b.kind {
			return cmp.Compare(order[a], order[b])
		}
		return cmp.Or(strings.Compare(at[a].bucket, at[b].bucket), cmp.Compare(at[a].order, at[b].order))
	})
	return out
}

// findOwningBucketLabel is the label of the one block that everything an item names belongs to; "": there
// is none. Objects that others are limited to are at home in themselves.
func (w *writer) findOwningBucketLabel(it *item) string {
	home, several := "", false
	visit := func(target string) {
		several = several || home != "" && home != target
		home = target
	}
	if it.kind.AllowedObjects != nil {
		return it.label
	}
	var walk func(args []arg)
	walk = func(args []arg) {
		for _, a := range args {
			walk(a.members)
			for i, part := range strings.Split(a.value, markByte) {
				if kindName, rest, ok := strings.Cut(part, " "); i%2 == 1 && ok {
					id, _, _ := strings.Cut(rest, " ")
					if at := w.referenceTargets[ObjectID{kindName, id}]; at.item != nil {
						visit(at.item.label)
					}
				}
			}
		}
	}
	walk(it.args)
	for _, m := range it.members {
		walk(m.args)
	}
	if several {
		return ""
	}
	return home
}

func (w *writer) fileNameWithoutExtension(it *item) string {
	switch w.Layout {
	case ByKind:
		return strings.ReplaceAll(it.kind.Plural, " ", "_")
	case PerBucket:
		return cmp.Or(w.findOwningBucketLabel(it), "account")
	}
	return "main"
}

// block writes a resource.
func (w *writer) block(b *strings.Builder, it *item) {
	for _, remark := range it.remarks {
		b.WriteString("# " + visible.EscapeLine(remark) + "\n")
	}
	fmt.Fprintf(b, "%s %q {\n", it.kind.Name, it.label)
	args := it.args
	if it.instanceKeys != nil {
		args = append([]arg{{name: "for_each", value: keySetExpr(it.instanceKeys)}}, args...)
	}
	w.body(b, args, 1)
	b.WriteString("}\n")
}

// body writes attributes, with their equals signs in one column, then nested blocks.
func (w *writer) body(b *strings.Builder, args []arg, depth int) {
	indent := strings.Repeat("  ", depth)
	flat := slices.DeleteFunc(slices.Clone(args), func(a arg) bool { return a.isBlock })
	oneLine := func(a arg) bool { return !strings.Contains(a.value, "\n") }
	for len(flat) > 0 {
		n, width := 0, 0 // of the next arguments on lines of their own, which share a column
		for ; n < len(flat) && oneLine(flat[n]); n++ {
			width = max(width, len(flat[n].name))
		}
		n = max(n, 1)
		for _, a := range flat[:n] {
			fmt.Fprintf(b, "%s%-*s = %s\n", indent, width, a.name, indentFollowingLines(w.resolveMarks(a.value, ""), indent))
		}
		flat = flat[n:]
	}
	for i, a := range args {
		if !a.isBlock {
			continue
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(indent + a.name + " {\n")
		w.body(b, a.members, depth+1)
		b.WriteString(indent + "}\n")
	}
}

// indentFollowingLines puts space before all lines of a value but the first.
func indentFollowingLines(value, indent string) string {
	return strings.ReplaceAll(value, "\n", "\n"+indent)
}

// importBlock takes over what a block declares: by name, or by ID where others have the
// name.
func (w *writer) importBlock(b *strings.Builder, it *item) {
	to, id := it.kind.Name+"."+it.label, it.name
	switch same := w.Snapshot.ByIdentity(it.kind, it.kind.NormalizeIdentity(it.name)); {
	case it.kind.ScopeAttr() != "":
		id = w.identityOf(it)
	case len(same) != 1:
		id = it.id
	}
	id = cmp.Or(it.memberIdentityExpr, view.FormatHCLHidingSensitive(cty.StringVal(id)))
	args := []arg{{name: "to", value: to}, {name: "id", value: id}}
	if it.instanceKeys != nil {
		args[0].value += "[each.key]"
		args = append([]arg{{name: "for_each", value: keySetExpr(it.instanceKeys)}}, args...)
	}
	b.WriteString("import {\n")
	w.body(b, args, 1)
	b.WriteString("}\n")
}

// keySetExpr writes the instances of a family.
func keySetExpr(keys []string) string {
	return "toset(" + view.FormatHCLHidingSensitive(cty.ListVal(kind.StringValues(keys...))) + ")"
}
