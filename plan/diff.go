package plan

import (
	"slices"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// Diff compares what a configuration wants with what is live. want is of the
// kind's ConfigType, completed; live is a decoded object; e is what the state
// knows of it, or nil. Attributes named in ignore are passed over, as are those
// that leave B2's value alone and those without a live counterpart.
//
// differing are the attributes that differ; unreadable are those that want declares
// and the credentials may not read, so that nobody can say. Both are in the
// descriptor's order.
func Diff(k *kind.Kind, want, live cty.Value, e *addr.StateEntry, ignore []string) (differing, unreadable []string) {
	return newDiffer(k).diff(k.ValuesOf(want), k.ValuesOf(live), e, ignore)
}

// A differ compares objects of one kind. It remembers of each attribute how its
// last comparison ended, since many objects share both sides of it, and more of
// those that refer to other objects.
type differ struct {
	kind       *kind.Kind
	lastByAttr []comparisonResult // by the attribute's index
	refResults map[comparedValues]bool
}

type comparisonResult struct {
	comparedValues
	equal bool
}

type comparedValues struct{ want, live *cty.Value }

// maxRefResults is how many comparisons are remembered beside the last ones.
const maxRefResults = 10_000

func newDiffer(k *kind.Kind) *differ {
	return &differ{k, make([]comparisonResult, len(k.Attrs)), map[comparedValues]bool{}}
}

// differFor gives the one for a kind.
func (p *planner) differFor(k *kind.Kind) *differ {
	if p.differByKind[k.Name] == nil {
		p.differByKind[k.Name] = newDiffer(k)
	}
	return p.differByKind[k.Name]
}

func (d *differ) diff(want, live kind.Values, e *addr.StateEntry, ignore []string) (fields, unreadable []string) {
	return d.compare(want, live, kind.Comparison{Want: want, Live: live, Entry: e}, ignore)
}

// diffMadeAnew lists what an object that takes the place of the live one has other than that: it is made as it is
// declared, whatever changes of the live one are ignored.
func (d *differ) diffMadeAnew(want, live kind.Values, e *addr.StateEntry) (fields []string) {
	fields, _ = d.compare(want, live, kind.Comparison{Want: want, Live: live, Entry: e, IsMadeAnew: true}, nil)
	return fields
}

func (d *differ) compare(want, live kind.Values, pair kind.Comparison, ignore []string) (fields, unreadable []string) {
	for i := range d.kind.Attrs {
		a := &d.kind.Attrs[i]
		if !isCompared(a) || slices.Contains(ignore, a.Name) {
			continue
		}
		w, l := want.PointerAt(i), live.PointerAt(i)
		switch {
		case a.KeepLive && w.IsNull():
		case !isReadable(a, *l):
			if !kind.IsNullOrEmptyCollection(*w) {
				unreadable = append(unreadable, a.Name)
			}
		case !d.attrEqual(i, pair, w, l):
			fields = append(fields, a.Name)
		}
	}
	return fields, unreadable
}

// isCompared reports whether the attribute can be set and has something live to
// be compared with.
func isCompared(a *kind.Attr) bool {
	return !a.Computed && (a.WirePath != "" || a.Encoding.ReadPath != "" || a.Compare.Equal != nil)
}

func isReadable(a *kind.Attr, live cty.Value) bool {
	if a.Object == nil {
		return live.IsKnown() // a leaf is hidden as a whole; this is much cheaper
	}
	return live.IsWhollyKnown()
}

func (d *differ) attrEqual(i int, pair kind.Comparison, want, live *cty.Value) bool {
	a := &d.kind.Attrs[i]
	if a.Name == d.kind.IdentityAttr && d.kind.ScopeAttr() == "" && a.Compare.Equal == nil {
		return d.kind.IdentityOf(pair.Want) == d.kind.IdentityOf(pair.Live)
	}
	c := &d.lastByAttr[i]
	if at := (comparedValues{want, live}); c.comparedValues != at {
		*c = comparisonResult{at, d.cachedEqual(a, at)}
	}
	if a.Compare.Equal == nil || c.equal && !kind.IsNullOrEmptyCollection(*want) {
		return c.equal
	}
	return a.Compare.Equal(pair)
}

func (d *differ) cachedEqual(a *kind.Attr, at comparedValues) bool {
	if a.Link.RefKind == "" {
		return equalNullAsEmpty(*at.want, *at.live)
	}
	same, known := d.refResults[at]
	if !known {
		same = equalNullAsEmpty(*at.want, *at.live)
		if len(d.refResults) < maxRefResults {
			d.refResults[at] = same
		}
	}
	return same
}

// equalNullAsEmpty compares two normalised values. "None" has several spellings (null, an
// empty list, an empty map) at every depth, because a configuration leaves out
// what B2 answers as empty.
func equalNullAsEmpty(a, b cty.Value) bool {
	if kind.IsNullOrEmptyCollection(a) || kind.IsNullOrEmptyCollection(b) {
		return kind.IsNullOrEmptyCollection(a) && kind.IsNullOrEmptyCollection(b)
	}
	t := a.Type()
	switch {
	case t == cty.String:
		return a.AsString() == b.AsString() // by far the most, and RawEquals is slow
	case t.IsObjectType():
		for name := range t.AttributeTypes() {
			if !equalNullAsEmpty(a.GetAttr(name), b.GetAttr(name)) {
				return false
			}
		}
		return true
	case t.IsListType() && (t.ElementType() == cty.String || t.ElementType().IsObjectType()):
		if a.LengthInt() != b.LengthInt() {
			return false
		}
		theirs := b.ElementIterator()
		for mine := a.ElementIterator(); mine.Next() && theirs.Next(); {
			_, x := mine.Element()
			if _, y := theirs.Element(); !equalNullAsEmpty(x, y) {
				return false
			}
		}
		return true
	}
	return a.RawEquals(b)
}

// plannedValue is what an object that stays will be: what is wanted, except that attributes which
// leave B2's value alone, or whose changes are ignored, hold that value.
func plannedValue(r *config.Resource, live kind.Values) cty.Value {
	v := r.Value.Clone()
	for i := range r.Kind.Attrs {
		a := &r.Kind.Attrs[i]
		if !isCompared(a) {
			continue
		}
		if l := live.PointerAt(i); r.KeepsLive(a) && isReadable(a, *l) {
			v.SetAt(i, l)
		}
	}
	return v.ObjectWithoutUnset()
}
