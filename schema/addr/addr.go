// Package addr names objects: the address that a configuration gives one, and what
// the state records under it.
package addr

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/visible"
)

// An Addr names one resource of a configuration: bucket.logs["edge"],
// module.site.key.reader. It is comparable and may be a map key.
type Addr struct {
	Module   string // "" or "module.site", with instance keys: `module.site["a"].module.inner`
	Kind     string
	Label    string
	Instance InstanceKey
}

// An InstanceKey tells the copies apart that for_each or count make of a block.
// The zero value is "there is only one".
type InstanceKey struct {
	form instanceForm
	text string
	n    int
}

type instanceForm byte

const (
	single instanceForm = iota
	byText
	byNumber
)

// ForEachKey is the instance of a for_each over a map or set.
func ForEachKey(s string) InstanceKey { return InstanceKey{form: byText, text: s} }

// CountIndex is the instance of a count.
func CountIndex(n int) InstanceKey { return InstanceKey{form: byNumber, n: n} }

// IsSingle reports whether the block was not repeated.
func (i InstanceKey) IsSingle() bool { return i.form == single }

// Value is each.key, or count.index; a null string for a single instance.
func (i InstanceKey) Value() cty.Value {
	switch i.form {
	case byText:
		return cty.StringVal(i.text)
	case byNumber:
		return cty.NumberIntVal(int64(i.n))
	}
	return cty.NullVal(cty.String)
}

// String is the instance as written behind a label: `["edge"]`, `[0]`, "".
func (i InstanceKey) String() string {
	switch i.form {
	case byText:
		return "[" + quote(i.text) + "]"
	case byNumber:
		return "[" + strconv.Itoa(i.n) + "]"
	}
	return ""
}

// quote writes s as an HCL string literal.
func quote(s string) string {
	if strings.ContainsAny(s, "\\\"$%") {
		s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", "$${", "%{", "%%{").Replace(s)
	}
	return `"` + visible.EscapeInvisibleInHCL(s) + `"`
}

// String is the address as a user writes it; that of a whole module where Kind
// is "".
func (a Addr) String() string {
	if a.Kind == "" {
		return a.Module
	}
	s := a.Kind + "." + a.Label + a.Instance.String()
	if a.Module == "" {
		return s
	}
	return a.Module + "." + s
}

// WithoutKey is the address of the block without its instance key.
func (a Addr) WithoutKey() Addr { a.Instance = InstanceKey{}; return a }

// WithoutKeys is the address without any instance key, of the modules around it neither.
func (a Addr) WithoutKeys() Addr {
	var names []string
	for _, step := range a.moduleSteps() {
		if name := RootOrAttrName(step); name != "" {
			names = append(names, name)
		}
	}
	a.Module, a.Instance = strings.Join(names, "."), InstanceKey{}
	return a
}

// WithoutZeroIndexes is the address without the index 0 of a count, of the modules around it neither.
func (a Addr) WithoutZeroIndexes() Addr {
	first := CountIndex(0)
	if a.Instance == first {
		a.Instance = InstanceKey{}
	}
	if !strings.Contains(a.Module, first.String()) {
		return a
	}
	path := ""
	for t := a.moduleSteps(); len(t) > 1; {
		var at InstanceKey
		path += ".module." + RootOrAttrName(t[1])
		if at, t = cutLeadingInstanceKey(t[2:]); at != first {
			path += at.String()
		}
	}
	a.Module = strings.TrimPrefix(path, ".")
	return a
}

// EnclosingModules are the addresses of the modules that the address is in, with their keys, the outermost first.
func (a Addr) EnclosingModules() (list []Addr) {
	path := ""
	for t := a.moduleSteps(); len(t) > 1; {
		var at InstanceKey
		path += ".module." + RootOrAttrName(t[1])
		at, t = cutLeadingInstanceKey(t[2:])
		path += at.String()
		list = append(list, Addr{Module: path[1:]})
	}
	return list
}

func (a Addr) moduleSteps() hcl.Traversal {
	t, _ := hclsyntax.ParseTraversalAbs([]byte(a.Module), "", hcl.InitialPos) // "" has no steps
	return t
}

// Covers reports whether b is a itself, an instance of the block a, or within the module a,
// whose instances count with it.
func (a Addr) Covers(b Addr) bool {
	if a.Kind != "" {
		return a.Module == b.Module && a.Kind == b.Kind && a.Label == b.Label && (a.Instance.IsSingle() || a.Instance == b.Instance)
	}
	rest, within := strings.CutPrefix(b.Module, a.Module)
	return within && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// Compare orders addresses for output: module, kind, label, instance (numbers
// by size).
func (a Addr) Compare(b Addr) int {
	if c := strings.Compare(a.Module, b.Module); c != 0 {
		return c
	}
	if c := strings.Compare(a.Kind, b.Kind); c != 0 {
		return c
	}
	if c := strings.Compare(a.Label, b.Label); c != 0 {
		return c
	}
	if c := int(a.Instance.form) - int(b.Instance.form); c != 0 {
		return c
	}
	if c := a.Instance.n - b.Instance.n; c != 0 {
		return c
	}
	return strings.Compare(a.Instance.text, b.Instance.text)
}

// MarshalText writes the address as String does.
func (a Addr) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (a *Addr) UnmarshalText(text []byte) error {
	p, err := Parse(string(text))
	*a = p
	return err
}

// Parse reads an address as a user writes it. The error says what is
// expected.
func Parse(s string) (Addr, error) {
	t, diags := hclsyntax.ParseTraversalAbs([]byte(s), "", hcl.InitialPos)
	if !diags.HasErrors() {
		if a, ok := TargetFromTraversal(t); ok && a.Kind != "" {
			return a, nil
		}
	}
	return Addr{}, fmt.Errorf("%q is not a resource address: write it like bucket.photos, key.app or bucket.logs[\"edge\"]", s)
}

// ParseTarget reads an address like Parse, or that of a whole module, which has the Kind "".
func ParseTarget(s string) (Addr, error) {
	if t, diags := hclsyntax.ParseTraversalAbs([]byte(s), "", hcl.InitialPos); !diags.HasErrors() {
		if a, ok := TargetFromTraversal(t); ok {
			return a, nil
		}
	}
	return Addr{}, fmt.Errorf("%q is no address: write it like bucket.photos, bucket.logs[\"edge\"] or module.site", s)
}

// TargetFromTraversal reads the address of a resource or, with Kind "", of a whole module.
func TargetFromTraversal(t hcl.Traversal) (address Addr, ok bool) {
	var a Addr
	for len(t) > 1 && RootOrAttrName(t[0]) == "module" && RootOrAttrName(t[1]) != "" {
		var at InstanceKey
		step := RootOrAttrName(t[1])
		at, t = cutLeadingInstanceKey(t[2:])
		a.Module = strings.TrimPrefix(a.Module+".module."+step+at.String(), ".")
	}
	if len(t) == 0 {
		return a, a.Module != ""
	}
	if len(t) < 2 || RootOrAttrName(t[0]) == "" || RootOrAttrName(t[0]) == "module" || RootOrAttrName(t[1]) == "" {
		return a, false
	}
	a.Kind, a.Label = RootOrAttrName(t[0]), RootOrAttrName(t[1])
	a.Instance, t = cutLeadingInstanceKey(t[2:])
	return a, len(t) == 0
}

// cutLeadingInstanceKey takes an instance key off the front, where there is one.
func cutLeadingInstanceKey(t hcl.Traversal) (key InstanceKey, rest hcl.Traversal) {
	if i, ok := leadingInstanceKey(t); ok {
		return i, t[1:]
	}
	return InstanceKey{}, t
}

// RootOrAttrName is the name of a root or attribute step; "" for any other.
func RootOrAttrName(step hcl.Traverser) string {
	switch s := step.(type) {
	case hcl.TraverseRoot:
		return s.Name
	case hcl.TraverseAttr:
		return s.Name
	}
	return ""
}

func leadingInstanceKey(t hcl.Traversal) (key InstanceKey, ok bool) {
	if len(t) == 0 {
		return InstanceKey{}, false
	}
	step, ok := t[0].(hcl.TraverseIndex)
	if !ok {
		return InstanceKey{}, false
	}
	if step.Key.Type() == cty.String {
		return ForEachKey(step.Key.AsString()), true
	}
	if step.Key.Type() != cty.Number {
		return InstanceKey{}, false
	}
	n, acc := step.Key.AsBigFloat().Int64()
	return CountIndex(int(n)), acc == big.Exact && n >= 0
}

// Strings are addresses as they are written, in the order of the list.
func Strings(list []Addr) []string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = a.String()
	}
	return out
}
