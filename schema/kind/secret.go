package kind

import "github.com/zclconf/go-cty/cty"

// SendsSecret reports whether the attribute or a member of it is a secret that
// the configuration gives and that goes to B2.
func (a *Attr) SendsSecret() bool {
	if a.Secret && !a.Computed && a.WirePath != "" {
		return true
	}
	for i := range a.Object {
		if a.Object[i].SendsSecret() {
			return true
		}
	}
	return false
}

// ReplaceNestedSecrets puts something else for the secret members of a nested value of the attribute;
// other values, null and unknown ones are given back as they are.
func (a *Attr) ReplaceNestedSecrets(v cty.Value, instead func(*Attr, cty.Value) cty.Value) cty.Value {
	switch {
	case a.Object == nil || v.IsNull() || !v.IsKnown() || !a.SendsSecret():
		return v
	case a.Many && v.LengthInt() == 0:
		return v
	case a.Many:
		one := *a
		one.Many = false
		list := v.AsValueSlice()
		for i := range list {
			list[i] = one.ReplaceNestedSecrets(list[i], instead)
		}
		return cty.ListVal(list)
	}
	m := v.AsValueMap()
	for i := range a.Object {
		inner := &a.Object[i]
		if m[inner.Name] = inner.ReplaceNestedSecrets(m[inner.Name], instead); inner.Secret {
			m[inner.Name] = instead(inner, m[inner.Name])
		}
	}
	return cty.ObjectVal(m)
}
