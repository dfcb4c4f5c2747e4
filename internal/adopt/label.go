package adopt

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"b2form/schema/kind"
)

// label gives each item a label that is legal and nobody has: from its name and, where
// several have that, from its ID, so that it is the same in the next run.
func (w *writer) label(k *kind.Kind, items []*item) {
	shared := map[string]int{}
	for _, it := range items {
		it.label = identifier(cmp.Or(it.labelHint, it.name))
		shared[it.label]++
	}
	for _, it := range items {
		switch {
		case it.requestedAddress != nil:
			it.label = it.requestedAddress.Label
		case it.instanceKeys != nil:
			it.label = w.takeUniqueLabel(k.Name, it.label, "")
		case shared[it.label] > 1 && k.ScopeAttr() != "":
			sum := sha256.Sum256([]byte(w.identityOf(it)))
			it.label = w.takeUniqueLabel(k.Name, it.label+"_"+hex.EncodeToString(sum[:2]), "")
		case shared[it.label] > 1:
			it.label = w.takeUniqueLabel(k.Name, it.label+"_"+it.id[max(0, len(it.id)-4):], it.id)
		default:
			it.label = w.takeUniqueLabel(k.Name, it.label, it.id)
		}
	}
}

// takeUniqueLabel takes a label that nobody has.
func (w *writer) takeUniqueLabel(block, label, id string) string {
	tries := []string{label}
	if id != "" {
		tries = append(tries, label+"_"+id)
	}
	for n := 2; ; n++ {
		for _, try := range tries {
			if at := (ObjectID{block, try}); !w.takenLabels[at] {
				w.takenLabels[at] = true
				return try
			}
		}
		tries = []string{fmt.Sprintf("%s_%d", label, n)}
	}
}

// identifier makes a name one that HCL takes, in lower case.
func identifier(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case unicode.Is(unicode.Mn, r): // an accent
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
	}
	s := strings.Trim(b.String(), "_")
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		s = "n" + s
	}
	return s
}

// leastFamily is how many objects make a family: two that are alike may be so by chance.
const leastFamily = 3

// fold puts objects that differ in one word of their names into one block. Objects of one
// name stay apart: an import finds each by its ID.
func (w *writer) fold(items []*item) []*item {
	named := map[string]int{}
	for _, it := range items {
		named[it.name]++
	}
	families := map[string][]*item{}
	for _, it := range items {
		if named[it.name] > 1 || len(w.Snapshot.ByIdentity(it.kind, it.kind.NormalizeIdentity(it.name))) > 1 {
			continue
		}
		for p := range dashSeparatedWords(it.name) {
			if sig := w.familySignature(it, p); sig != "" {
				families[sig] = append(families[sig], it)
			}
		}
	}
	sigs := make([]string, 0, len(families))
	for sig, members := range families {
		if len(members) >= leastFamily {
			sigs = append(sigs, sig)
		}
	}
	slices.SortFunc(sigs, func(a, b string) int {
		return cmp.Or(len(families[b])-len(families[a]), strings.Compare(a, b))
	})
	taken := map[*item]bool{}
	var out []*item
	for _, sig := range sigs {
		members := slices.DeleteFunc(families[sig], func(it *item) bool { return taken[it] })
		if len(members) < leastFamily {
			continue
		}
		out = append(out, w.family(members, sig))
		for _, it := range members {
			taken[it] = true
		}
	}
	for _, it := range items {
		if !taken[it] {
			out = append(out, it)
		}
	}
	slices.SortFunc(out, func(a, b *item) int { return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.id, b.id)) })
	return out
}

// dashSeparatedWords are the parts of a name between dashes.
func dashSeparatedWords(name string) []string { return strings.Split(name, "-") }

// familySignature is what objects have in common that differ in the word at p of their names;
// "": no other can be alike.
func (w *writer) familySignature(it *item, wordIndex int) string {
	parts := dashSeparatedWords(it.name)
	word := parts[wordIndex]
	if len(parts) < 2 || word == "" || it.requestedAddress != nil {
		return ""
	}
	parts[wordIndex] = markByte
	var b strings.Builder
	fmt.Fprintf(&b, "%d %q\n", wordIndex, parts)
	for _, a := range it.args {
		if !isOwnName(it.kind, a) {
			w.writeArgSignature(&b, a, word)
		}
	}
	fmt.Fprintf(&b, "%q", it.remarks)
	return b.String()
}

func (w *writer) writeArgSignature(b *strings.Builder, a arg, word string) {
	if !a.isBlock {
		b.WriteString(a.name + "=" + w.resolveMarks(a.value, word) + "\n")
		return
	}
	b.WriteString(a.name + "{\n")
	for _, m := range a.members {
		w.writeArgSignature(b, m, word)
	}
	b.WriteString("}\n")
}

// family makes one item of several. Its members have the word at the same place.
func (w *writer) family(members []*item, sig string) *item {
	var p int
	_, _ = fmt.Sscanf(sig, "%d", &p) // which signature wrote
	first := members[0]
	f := &item{kind: first.kind, name: first.name, remarks: first.remarks, args: slices.Clone(first.args), members: members,
		instanceKeyByID: map[string]string{}}
	for _, it := range members {
		word := dashSeparatedWords(it.name)[p]
		f.instanceKeys = append(f.instanceKeys, word)
		f.instanceKeyByID[it.id] = word
		w.referenceTargets[ObjectID{it.kind.Name, it.id}] = referenceTarget{item: f}
	}
	slices.Sort(f.instanceKeys)
	parts := dashSeparatedWords(first.name)
	f.labelHint = strings.Join(slices.Delete(slices.Clone(parts), p, p+1), "-")
	own := parts[p]
	parts[p] = "${each.key}"
	f.memberIdentityExpr = `"` + strings.Join(parts, "-") + `"`
	for i := range f.args {
		if isOwnName(f.kind, f.args[i]) {
			f.args[i].value = f.memberIdentityExpr
		} else {
			f.args[i] = w.withEachKeyReferences(f.args[i], own)
		}
	}
	return f
}

// isOwnName reports whether an argument is the name of what a block declares, and not a
// reference to what that belongs to.
func isOwnName(k *kind.Kind, a arg) bool {
	return a.name == k.IdentityAttr && (k.Parent == nil || k.Parent.Attr != a.name)
}

// withEachKeyReferences writes references to the instances of another family that follow the word.
func (w *writer) withEachKeyReferences(a arg, word string) arg {
	if !a.isBlock {
		a.value = w.resolveMarks(a.value, word)
		return a
	}
	a.members = slices.Clone(a.members)
	for i := range a.members {
		a.members[i] = w.withEachKeyReferences(a.members[i], word)
	}
	return a
}
