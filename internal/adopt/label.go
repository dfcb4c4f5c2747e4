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
	families := map[familyID][]*item{}
	for _, it := range items {
		if named[it.name] > 1 || len(w.Snapshot.ByIdentity(it.kind, it.kind.NormalizeIdentity(it.name))) > 1 {
			continue
		}
		for _, around := range familiesOf(it) {
			id := familyID{around, w.familySignature(it, around)}
			families[id] = append(families[id], it)
		}
	}
	ids := make([]familyID, 0, len(families))
	for id, members := range families {
		if len(members) >= leastFamily {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b familyID) int {
		return cmp.Or(len(families[b])-len(families[a]), a.around.compare(b.around), strings.Compare(a.signature, b.signature))
	})
	taken := map[*item]bool{}
	var out []*item
	for _, id := range ids {
		members := slices.DeleteFunc(families[id], func(it *item) bool { return taken[it] })
		if len(members) < leastFamily {
			continue
		}
		out = append(out, w.family(members, id.around))
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

// A familyID is what objects of one family have in common.
type familyID struct {
	around    aroundWord
	signature string
}

// An aroundWord is what stands in a name before and behind the word in which the objects of a family differ: one between dashes, or
// the number that ends such a word.
type aroundWord struct{ before, after string }

func (a aroundWord) word(name string) string { return name[len(a.before) : len(name)-len(a.after)] }

// compare has words between dashes come first, then those that stand nearer to the beginning.
func (a aroundWord) compare(b aroundWord) int {
	number := func(a aroundWord) int {
		if a.before == "" || strings.HasSuffix(a.before, "-") {
			return 0
		}
		return 1
	}
	return cmp.Or(number(a)-number(b), strings.Count(a.before, "-")-strings.Count(b.before, "-"), strings.Compare(a.before, b.before),
		strings.Compare(a.after, b.after))
}

// familiesOf are the families that an object may be of by its name.
func familiesOf(it *item) (out []aroundWord) {
	if it.requestedAddress != nil {
		return nil
	}
	at := 0
	for word := range strings.SplitSeq(it.name, "-") {
		end := at + len(word)
		if word != "" && word != it.name {
			out = append(out, aroundWord{it.name[:at], it.name[end:]})
		}
		if letters := strings.TrimRight(word, "0123456789"); letters != "" && letters != word {
			out = append(out, aroundWord{it.name[:at+len(letters)], it.name[end:]})
		}
		at = end + 1
	}
	return out
}

// familySignature is what objects have in common that differ in a word of their names.
func (w *writer) familySignature(it *item, around aroundWord) string {
	var b strings.Builder
	for _, a := range it.args {
		if !isOwnName(it.kind, a) {
			w.writeArgSignature(&b, a, around.word(it.name))
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

// family makes one item of several, which differ in one word of their names.
func (w *writer) family(members []*item, around aroundWord) *item {
	first := members[0]
	f := &item{kind: first.kind, name: first.name, remarks: first.remarks, args: slices.Clone(first.args), members: members,
		instanceKeyByID: map[string]string{}}
	for _, it := range members {
		word := around.word(it.name)
		f.instanceKeys = append(f.instanceKeys, word)
		f.instanceKeyByID[it.id] = word
		w.referenceTargets[ObjectID{it.kind.Name, it.id}] = referenceTarget{item: f}
	}
	slices.Sort(f.instanceKeys)
	f.labelHint = strings.TrimSuffix(around.before, "-") + around.after
	f.memberIdentityExpr = `"` + around.before + "${each.key}" + around.after + `"`
	for i := range f.args {
		if isOwnName(f.kind, f.args[i]) {
			f.args[i].value = f.memberIdentityExpr
		} else {
			f.args[i] = w.withEachKeyReferences(f.args[i], around.word(first.name))
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
