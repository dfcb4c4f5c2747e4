package kind

import (
	"github.com/zclconf/go-cty/cty"
)

// A Reference is one name of another object in a value.
type Reference struct {
	Path cty.Path // from the value down
	Attr *Attr    // the attribute or member that holds it; its Link.RefKind is not ""
	Name string
}

// References lists the names of other objects in a value of the attribute. What is
// null or not known holds none.
func (a *Attr) References(v cty.Value) []Reference {
	var out []Reference
	a.visitRefs(v, nil, func(m Reference) { out = append(out, m) })
	return out
}

func (a *Attr) visitRefs(v cty.Value, path cty.Path, f func(Reference)) {
	switch t := v.Type(); {
	case !a.HasRefs(), v.IsNull(), !v.IsKnown():
	case t == cty.String:
		f(Reference{path.Copy(), a, v.AsString()})
	case t.IsObjectType():
		for i := range a.Object {
			name := a.Object[i].Name
			a.Object[i].visitRefs(v.GetAttr(name), append(path, cty.GetAttrStep{Name: name}), f)
		}
	case v.CanIterateElements():
		i := int64(0)
		for it := v.ElementIterator(); it.Next(); i++ {
			_, e := it.Element()
			a.visitRefs(e, append(path, cty.IndexStep{Key: cty.NumberIntVal(i)}), f)
		}
	}
}

// MapPossibleIDs is the value with other names in the place of those that may be IDs (see
// Link.IsRemoteID).
func (a *Attr) MapPossibleIDs(v cty.Value, name func(by *Attr, text string) string) cty.Value {
	switch t := v.Type(); {
	case !a.HasRefs(), v.IsNull(), !v.IsKnown():
	case t == cty.String && a.Link.IsRemoteID != nil:
		return cty.StringVal(name(a, v.AsString()))
	case t.IsObjectType():
		m := v.AsValueMap()
		for i := range a.Object {
			m[a.Object[i].Name] = a.Object[i].MapPossibleIDs(m[a.Object[i].Name], name)
		}
		return cty.ObjectVal(m)
	case t.IsListType() && v.LengthInt() > 0:
		list := v.AsValueSlice()
		for i, e := range list {
			list[i] = a.MapPossibleIDs(e, name)
		}
		return cty.ListVal(list)
	}
	return v
}

// IsDeferredLink reports whether the attribute names other objects and is set after they
// are made, so that they may name the one that carries it.
func (a *Attr) IsDeferredLink() bool { return a.Deferred && a.HasRefs() }

// DeferredLinkIndices lists the indices of the attributes that are links.
func (k *Kind) DeferredLinkIndices() []int {
	var list []int
	for i := range k.Attrs {
		if k.Attrs[i].IsDeferredLink() {
			list = append(list, i)
		}
	}
	return list
}

// HasRefs reports whether the attribute or a member of it has a Link.RefKind.
func (a *Attr) HasRefs() bool {
	if a.Link.RefKind != "" {
		return true
	}
	for i := range a.Object {
		if a.Object[i].HasRefs() {
			return true
		}
	}
	return false
}
