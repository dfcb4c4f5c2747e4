package plan

import (
	"slices"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// Diff compares what a configuration wants with what is live. want is of the
// kind's ConfigType, completed; live is a decoded object; e is what the state
// knows of it, or nil. Attributes named in ignore are passed over, as are those
// that leave B2's value alone and those without a live counterpart.
//
// fields are the attributes that differ; hidden are those that want declares and
// the credentials may not read, so that nobody can say. Both are in the
// descriptor's order.
func Diff(k *kind.Kind, want, live cty.Value, e *kind.Entry, ignore []string) (fields, hidden []string) {
	pair := kind.Pair{Want: want, Live: live, Entry: e}
	for i := range k.Attrs {
		a := &k.Attrs[i]
		if !compared(a) || slices.Contains(ignore, a.Name) {
			continue
		}
		w, l := want.GetAttr(a.Name), live.GetAttr(a.Name)
		switch {
		case a.Keep && w.IsNull():
		case !known(a, l):
			if !isNone(w) {
				hidden = append(hidden, a.Name)
			}
		case !same(k, a, pair, w, l):
			fields = append(fields, a.Name)
		}
	}
	return fields, hidden
}

// compared reports whether the attribute can be set and has something live to
// be compared with.
func compared(a *kind.Attr) bool {
	return !a.Computed && (a.Wire != "" || a.Read != "" || a.Same != nil)
}

func known(a *kind.Attr, live cty.Value) bool {
	if a.Object == nil {
		return live.IsKnown() // a leaf is hidden as a whole; this is much cheaper
	}
	return live.IsWhollyKnown()
}

func same(k *kind.Kind, a *kind.Attr, pair kind.Pair, want, live cty.Value) bool {
	switch {
	case a.Same != nil:
		return a.Same(pair)
	case a.Name == k.Identity:
		return k.IdentityOf(pair.Want) == k.IdentityOf(pair.Live)
	}
	return equal(want, live)
}

// equal compares two normalised values. "None" has several spellings (null, an
// empty list, an empty map) at every depth, because a configuration leaves out
// what B2 answers as empty.
func equal(a, b cty.Value) bool {
	if isNone(a) || isNone(b) {
		return isNone(a) && isNone(b)
	}
	t := a.Type()
	switch {
	case t == cty.String:
		return a.AsString() == b.AsString() // by far the most, and RawEquals is slow
	case t.IsObjectType():
		for name := range t.AttributeTypes() {
			if !equal(a.GetAttr(name), b.GetAttr(name)) {
				return false
			}
		}
		return true
	case t.IsListType() && t.ElementType().IsObjectType():
		if a.LengthInt() != b.LengthInt() {
			return false
		}
		theirs := b.AsValueSlice()
		for i, mine := range a.AsValueSlice() {
			if !equal(mine, theirs[i]) {
				return false
			}
		}
		return true
	}
	return a.RawEquals(b)
}

func isNone(v cty.Value) bool {
	if v.IsNull() {
		return true
	}
	t := v.Type()
	return v.IsKnown() && (t.IsListType() || t.IsSetType() || t.IsMapType()) && v.LengthInt() == 0
}

// after is what an object will be: what is wanted, except that attributes which
// leave B2's value alone, or whose changes are ignored, hold that value.
func after(r *kind.Resource, live cty.Value) cty.Value {
	m := r.Value.AsValueMap()
	for i := range r.Kind.Attrs {
		a := &r.Kind.Attrs[i]
		if !compared(a) {
			continue
		}
		kept := a.Keep && m[a.Name].IsNull() || slices.Contains(r.IgnoreChanges, a.Name)
		if l := live.GetAttr(a.Name); kept && known(a, l) {
			m[a.Name] = l
		}
	}
	return cty.ObjectVal(m)
}
