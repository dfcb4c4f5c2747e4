package bucket

import (
	"maps"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/wire"
)

// A bucket may hold states of b2form, and then its info has pairs that say where
// they are and who is changing them. They are no settings: plans do not show
// them, and every update carries them along as they are.

// withoutReservedInfo takes the pairs of states out of a live info.
func withoutReservedInfo(info cty.Value) cty.Value {
	if info.IsNull() || !info.IsKnown() || info.LengthInt() == 0 {
		return info
	}
	m := info.AsValueMap()
	maps.DeleteFunc(m, func(key string, _ cty.Value) bool { return isReservedInfoKey(key) })
	if len(m) == 0 {
		return cty.MapValEmpty(cty.String)
	}
	return cty.MapVal(m)
}

// keepReservedInfo puts the pairs of states that are live into a body that replaces
// the info.
func keepReservedInfo(body, live map[string]any) {
	info, replaced := body["bucketInfo"]
	if !replaced {
		return
	}
	merged := map[string]any{}
	if wanted, ok := info.(map[string]any); ok {
		maps.Copy(merged, wanted)
	}
	now, _ := live["bucketInfo"].(map[string]any)
	for key, value := range now {
		if isReservedInfoKey(key) {
			merged[key] = value
		}
	}
	body["bucketInfo"] = merged
}

// holdsState reports whether a live bucket holds the state of somebody.
func holdsState(live map[string]any) bool {
	info, _ := live["bucketInfo"].(map[string]any)
	for key := range info {
		if isReservedInfoKey(key) {
			return true
		}
	}
	return false
}

// volatileAttrs names what b2form's own lock changes in a live bucket.
func volatileAttrs(live map[string]any) []string {
	if holdsState(live) {
		return []string{"revision"}
	}
	return nil
}

func isReservedInfoKey(key string) bool {
	return strings.HasPrefix(strings.ToLower(key), wire.ReservedInfoPrefix)
}
