package config

import (
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/wire"
)

// HoldsEscapes reports whether a live value holds a text that no configuration can, since it is not in
// Unicode's normal form C.
func HoldsEscapes(v cty.Value) bool {
	found := false
	_ = cty.Walk(v, func(_ cty.Path, e cty.Value) (bool, error) {
		switch t := e.Type(); {
		case !e.IsKnown() || e.IsNull():
		case t == cty.String:
			found = found || wire.HasNonNFCEscapes(e.AsString())
		case t.IsMapType():
			for name := range e.AsValueMap() {
				found = found || wire.HasNonNFCEscapes(name)
			}
		}
		return true, nil
	})
	return found
}

// NormalizedToNFC is a live value as expressions see it: every text in normal form C.
func NormalizedToNFC(v cty.Value) cty.Value {
	if !HoldsEscapes(v) {
		return v
	}
	v, _ = cty.Transform(v, func(_ cty.Path, e cty.Value) (cty.Value, error) {
		if e.Type() == cty.String && e.IsKnown() && !e.IsNull() {
			return cty.StringVal(wire.UnescapeText(e.AsString())), nil
		}
		return e, nil
	})
	return v
}
