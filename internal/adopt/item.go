package adopt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/view"
	"b2form/schema/config"
	"b2form/schema/functions"
	"b2form/schema/kind"
)

// A collector makes items of one kind. Most objects have most of their values in
// common, which come with the same pointer, so each is written once.
type collector struct {
	*writer
	kind        *kind.Kind
	completer   *kind.ConfigCompleter
	empty       kind.Values // an empty block
	argsByValue map[*cty.Value][]arg
}

func (w *writer) newCollector(k *kind.Kind) *collector {
	return &collector{writer: w, kind: k, completer: k.NewCompleter(), empty: k.NewNullValues(), argsByValue: map[*cty.Value][]arg{}}
}

// itemIfDeclarable makes an item of one object, whose content is in a local file; nil where it cannot
// be declared, which is noted.
func (c *collector) itemIfDeclarable(o *kind.Object, contentPath string) (*item, error) {
	live, err := o.Values()
	if err != nil {
		return nil, err
	}
	want, why := c.valuesToDeclare(live, contentPath)
	if why != "" {
		c.addUndeclarable(c.kind, o.Identity, "%s", why)
		return nil, nil
	}
	if expires := c.kind.ExpiryOf(live); !expires.IsZero() {
		if c.OnlyAddresses == nil && !c.NamedExactly(o.Identity) {
			c.addUndeclarable(c.kind, o.Identity, "it %s, and a block would make it anew after that. To declare it, ask for it by name: "+
				"b2form adopt -include=%s", endText(c.kind, live), o.Identity)
			return nil, nil
		}
		c.kind.Credential.LimitLife(want, expires.Sub(c.Now))
	}
	name := live.GetAttr(c.kind.IdentityAttr).AsString()
	it := &item{kind: c.kind, id: o.ID, name: name, remarks: remarks(c.kind, live)}
	if c.kind.Credential != nil {
		c.kind.Credential.ReplaceDerivedByShorthand(want)
	}
	for i := range c.kind.Attrs {
		if a := &c.kind.Attrs[i]; !a.Computed {
			it.args = append(it.args, c.attr(it, a, want.PointerAt(i))...)
		}
	}
	c.noteUnknownMembers(o, it.args)
	return it, nil
}

// valuesToDeclare is an object as a configuration declares it, or why none could.
func (c *collector) valuesToDeclare(live kind.Values, contentPath string) (want kind.Values, why string) {
	want = c.empty.Clone()
	for i := range c.kind.Attrs {
		a := &c.kind.Attrs[i]
		if a.Computed {
			continue
		}
		v := live.PointerAt(i)
		switch {
		case v == nil || v.IsNull() || !v.IsWhollyKnown() || isKeptLiveServerDefault(a, *v):
			v = c.empty.PointerAt(i)
		case config.HoldsEscapes(*v):
			return want, fmt.Sprintf("a configuration holds text in Unicode's normal form C, and that of its %s is in another.", a.Name)
		case c.kind.Content != nil && a.Name == c.kind.Content.SHA1Attr: // it follows from the content
			v = c.empty.PointerAt(i)
		case c.kind.Content != nil && a.Compare.Equal != nil:
			v = withoutKeptLiveMembers(a, want, live, v)
		}
		for _, m := range a.References(*v) {
			if kind.IsDeletedRef(m.Name) {
				what := "are gone"
				if !c.wereAllSeen(m.Attr.Link.RefKind) {
					what = "were not seen"
				}
				return want, fmt.Sprintf("its %s %s: %s.", a.Name, what, strings.TrimPrefix(strings.Trim(m.Name, "()"), "deleted "))
			}
		}
		want.SetAt(i, v)
	}
	if c.kind.Content != nil {
		source := cty.StringVal(contentPath)
		want.Set(c.kind.Content.SourceAttr, &source)
	}
	return want, c.undeclarableReasonIfAny(want)
}

// wereAllSeen reports whether the credentials see all objects of a kind, so that one that is not among them is gone.
func (w *writer) wereAllSeen(kindName string) bool {
	k := kind.FindKind(w.Kinds, kindName)
	if k == nil || !w.Snapshot.WasReadAtAll(k) {
		return false
	}
	if k.AllowedObjects == nil || w.Snapshot.Account == nil {
		return true
	}
	_, limited := k.AllowedObjects(w.Snapshot.Account)
	return !limited
}

// withoutKeptLiveMembers is a live value without what is left alone where nobody declares it.
func withoutKeptLiveMembers(a *kind.Attr, want, live kind.Values, v *cty.Value) *cty.Value {
	if !v.Type().IsMapType() {
		return v
	}
	for name := range v.AsValueMap() {
		rest := v.AsValueMap()
		delete(rest, name)
		less := cty.MapValEmpty(v.Type().ElementType())
		if len(rest) > 0 {
			less = cty.MapVal(rest)
		}
		without := want.Clone()
		without.Set(a.Name, &less)
		if a.Compare.Equal(kind.Comparison{Want: without, Live: live}) {
			return withoutKeptLiveMembers(a, want, live, &less)
		}
	}
	return v
}

// undeclarableReasonIfAny says why a configuration could not hold the object as it is; "": it can.
func (c *collector) undeclarableReasonIfAny(want kind.Values) string {
	_, problems := c.completer.CompleteAndCheck(want, false)
	for _, p := range problems {
		if !p.Warning {
			return p.Detail
		}
	}
	return ""
}

// isKeptLiveServerDefault reports whether a value that is left alone where nobody declares it is
// what B2 gives to everything: "no", or all that its members are where nobody says
// otherwise.
func isKeptLiveServerDefault(a *kind.Attr, v cty.Value) bool {
	if !a.KeepLive {
		return false
	}
	if a.Object == nil {
		return v.Type() == cty.Bool && v.False()
	}
	for i := range a.Object {
		m := &a.Object[i]
		if m.Default == cty.NilVal || !v.GetAttr(m.Name).RawEquals(m.Default) {
			return false
		}
	}
	return true
}

// attr writes one attribute; nothing where it is as if it were left out.
func (c *collector) attr(it *item, a *kind.Attr, v *cty.Value) []arg {
	if a.SendsSecret() {
		return c.argsOf(it, a, *v, a.Name)
	}
	args, known := c.argsByValue[v]
	if !known {
		args = c.argsOf(it, a, *v, a.Name)
		c.argsByValue[v] = args
	}
	return args
}

// argsOf writes an attribute or a member of one. path tells the variables of secrets apart.
func (c *collector) argsOf(it *item, a *kind.Attr, v cty.Value, path string) []arg {
	switch {
	case v.IsNull() || a.Default != cty.NilVal && v.RawEquals(a.Default):
		return nil
	case a.Secret:
		return []arg{{name: a.Name, value: "var." + c.addSecretVariable(it, a, v.AsString(), path)}}
	case a.Object == nil:
		if call := functions.PresetCallYielding(v); call != "" {
			return []arg{{name: a.Name, value: call}}
		}
		return []arg{{name: a.Name, value: c.expression(a, v)}}
	case !a.Many:
		return []arg{{name: a.Name, isBlock: true, members: c.members(it, a, v, path)}}
	}
	if call := functions.PresetCallYielding(v); call != "" {
		return []arg{{name: a.Name, value: call}}
	}
	var out []arg
	for i := range v.AsValueSlice() {
		e := v.Index(cty.NumberIntVal(int64(i)))
		out = append(out, arg{name: a.Name, isBlock: true, members: c.members(it, a, e, elementPath(path, i, e))})
	}
	return out
}

func (c *collector) members(it *item, a *kind.Attr, v cty.Value, path string) []arg {
	var out []arg
	for i := range a.Object {
		m, below := &a.Object[i], path
		if m.Object == nil || m.Many {
			below += "_" + m.Name
		}
		out = append(out, c.argsOf(it, m, v.GetAttr(m.Name), below)...)
	}
	return out
}

// elementPath tells the elements of a list apart: by their names, where they have some.
func elementPath(path string, i int, e cty.Value) string {
	if e.Type().HasAttribute("name") && !e.GetAttr("name").IsNull() {
		return path + "_" + e.GetAttr("name").AsString()
	}
	return fmt.Sprintf("%s_%d", path, i+1)
}

// expression writes a value that is no object. References are marks.
func (c *collector) expression(a *kind.Attr, v cty.Value) string {
	if a.Link.RefKind == "" {
		return c.literal(v)
	}
	if v.Type() == cty.String {
		return c.referenceMarkOrLiteral(a, v.AsString())
	}
	var list []string
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		list = append(list, c.referenceMarkOrLiteral(a, e.AsString()))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// literal writes a value without references: on one line where it has few members.
func (c *collector) literal(v cty.Value) string {
	if t := v.Type(); !t.IsMapType() || v.LengthInt() != 1 {
		return view.FormatHCLHidingSensitive(v)
	}
	for name, value := range v.AsValueMap() {
		if !hclsyntax.ValidIdentifier(name) {
			name = view.FormatHCLHidingSensitive(cty.StringVal(name))
		}
		return "{ " + name + " = " + view.FormatHCLHidingSensitive(value) + " }"
	}
	return "{}"
}

// mark stands for a reference until it is known what has which label: the kind and the
// remote ID of the object between two bytes that no expression has.
const markByte = "\x00"

// referenceMarkOrLiteral writes a name or a remote ID of another object.
func (c *collector) referenceMarkOrLiteral(a *kind.Attr, text string) string {
	id := text
	if a.Link.IsRemoteID == nil || !a.Link.IsRemoteID(text) {
		id = c.findUniqueID(a.Link.RefKind, text)
	}
	if id == "" {
		return view.FormatHCLHidingSensitive(cty.StringVal(text))
	}
	return markByte + a.Link.RefKind + " " + id + " " + text + markByte
}

// findUniqueID is the remote ID of the only object that a name stands for; "": there is none.
func (w *writer) findUniqueID(kindName, name string) string {
	key := ObjectID{kindName, name}
	if id, known := w.idOfName[key]; known {
		return id
	}
	id := ""
	if k := kind.FindKind(w.Kinds, kindName); k != nil {
		if same := w.Snapshot.ByIdentity(k, k.NormalizeIdentity(name)); len(same) == 1 {
			id = same[0].ID
		}
	}
	w.idOfName[key] = id
	return id
}

// addSecretVariable makes a variable of a secret and gives its name.
func (c *collector) addSecretVariable(it *item, a *kind.Attr, secret, path string) (variableName string) {
	name := c.takeUniqueLabel("variable", identifier(c.kind.ParentIdentity(it.name)+"_"+strings.TrimPrefix(path, "rules_")), "")
	h := HiddenValue{name, a.Name + " in " + c.kind.Plural, secret}
	it.secrets, c.result.HiddenValues = append(it.secrets, h), append(c.result.HiddenValues, h)
	return name
}

// remarks are what deserves a look about an object.
func remarks(k *kind.Kind, live kind.Values) []string {
	var out []string
	if !k.ExpiryOf(live).IsZero() {
		out = append(out, "It "+endText(k, live)+". B2 does not tell how long it was to live: what is declared is what is left of that, "+
			"for the "+k.Name+" that b2form makes in its place.")
	}
	for i := range k.Attrs {
		if v := live.PointerAt(i); k.Credential == nil && v != nil && v.IsKnown() {
			out = append(out, attrRemarks(&k.Attrs[i], *v)...)
		}
	}
	if k.Credential != nil {
		for _, f := range k.Credential.Lint(cty.NullVal(k.ConfigType()), live) {
			says, _, _ := strings.Cut(f.Detail, ";")
			out = append(out, sentence(fmt.Sprintf("%s (%s)", says, f.Rule)))
		}
		if name, _, rotated := kind.ParseTimestampedName(live.GetAttr(k.IdentityAttr).AsString()); rotated {
			out = append(out, fmt.Sprintf("Its name is that of a key that rotates, as the block of a key %q with rotate makes them.", name))
		}
	}
	slices.Sort(out)
	return out
}

// endText says when what ends by itself does: "expires 2026-12-05 16:01 UTC".
func endText(k *kind.Kind, live kind.Values) string {
	for i := range k.Attrs {
		if tell := k.Attrs[i].Encoding.LiveText; tell != nil {
			return tell(live)
		}
	}
	return "ends by itself"
}

func sentence(says string) string { return strings.ToUpper(says[:1]) + says[1:] + "." }

// attrRemarks are what deserves a look about one attribute: files that anyone may read, and
// what it comes to that nothing is set, where the descriptor has words for that.
func attrRemarks(a *kind.Attr, v cty.Value) (out []string) {
	if a.Hazards != nil && !v.IsNull() {
		for _, h := range a.Hazards(cty.NilVal, v) {
			if h.Kind == kind.ExposesFiles {
				out = append(out, sentence(string(h.Kind)+": "+h.Detail))
			}
		}
	}
	if a.Note != nil && !v.IsNull() && v.CanIterateElements() && v.LengthInt() == 0 {
		if text := a.Note(v); text != "" {
			out = append(out, sentence("no "+a.Name+": "+text))
		}
	}
	return out
}
