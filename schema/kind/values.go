package kind

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
)

// Values are the attributes of one object, wanted or live, by its descriptor. A
// plan handles a hundred thousand of them, for which cty objects are too slow and
// too large: each carries its type and two maps. What many objects share is held
// once, so equal pointers mean equal values; the reverse does not hold.
//
// Values share what they hold when they are copied.
type Values struct {
	attrs []Attr
	list  []*cty.Value // by the index in attrs; nil: there is no such attribute
}

// AttrReader is what reads attributes one by one: Values, or a cty object.
type AttrReader interface {
	// GetAttr gives the attribute of a name, which must exist.
	GetAttr(name string) cty.Value
	IsNull() bool
}

var _, _ AttrReader = Values{}, cty.Value{}

// newValues has no attribute yet.
func (k *Kind) newValues() Values {
	return Values{k.Attrs, make([]*cty.Value, len(k.Attrs))}
}

// NewNullValues has null for each attribute that can be set, as a block without arguments.
func (k *Kind) NewNullValues() Values {
	v := k.newValues()
	for i := range k.Attrs {
		if a := &k.Attrs[i]; !a.Computed {
			null := cty.NullVal(a.ValueType())
			v.SetAt(i, &null)
		}
	}
	return v
}

// ValuesOf takes apart a cty object that has attributes of the kind. A null
// object has none.
func (k *Kind) ValuesOf(object cty.Value) Values {
	v := k.newValues()
	if object.IsNull() {
		return v
	}
	t := object.Type()
	for i := range k.Attrs {
		if name := k.Attrs[i].Name; t.HasAttribute(name) {
			one := object.GetAttr(name)
			v.list[i] = &one
		}
	}
	return v
}

// Clone gives Values of their own that share every single value.
func (v Values) Clone() Values {
	return Values{v.attrs, append([]*cty.Value(nil), v.list...)}
}

// PointerAt gives the attribute with an index in the descriptor; nil: there is none.
func (v Values) PointerAt(i int) *cty.Value { return v.list[i] }

// Pointer gives the attribute of a name; nil: there is none.
func (v Values) Pointer(name string) *cty.Value { return v.list[v.mustIndex(name)] }

// SetAt sets the attribute with an index in the descriptor. What value points to
// must not change afterwards.
func (v Values) SetAt(i int, value *cty.Value) { v.list[i] = value }

// Set sets the attribute of a name.
func (v Values) Set(name string, value *cty.Value) { v.list[v.mustIndex(name)] = value }

// GetAttr implements [AttrReader].
func (v Values) GetAttr(name string) cty.Value {
	if one := v.list[v.mustIndex(name)]; one != nil {
		return *one
	}
	panic(fmt.Sprintf("kind: these values have no %s", name))
}

func (v Values) mustIndex(name string) int {
	for i := range v.attrs {
		if v.attrs[i].Name == name {
			return i
		}
	}
	panic(fmt.Sprintf("kind: there is no attribute %s", name))
}

// IsNull implements [AttrReader]: Values are never null.
func (v Values) IsNull() (alwaysFalse bool) { return false }

// ObjectWithoutUnset is the cty object of the attributes that there are.
func (v Values) ObjectWithoutUnset() cty.Value {
	m := make(map[string]cty.Value, len(v.list))
	for i, one := range v.list {
		if one != nil {
			m[v.attrs[i].Name] = *one
		}
	}
	return cty.ObjectVal(m)
}
