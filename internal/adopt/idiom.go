package adopt

import (
	"slices"

	"b2form/schema/key"
	"b2form/schema/kind"
)

// idiomatic writes capabilities as the access that the web console calls them by.
func idiomatic(k *kind.Kind, want kind.Values, args []arg) []arg {
	if k.Name != "key" {
		return args
	}
	access, listAll, ok := key.AccessOf(kind.StringsIn(want.GetAttr("capabilities")))
	i := slices.IndexFunc(args, func(a arg) bool { return a.name == "capabilities" })
	if !ok || i < 0 {
		return args
	}
	instead := []arg{{name: "access", value: `"` + access + `"`}}
	if listAll {
		instead = append(instead, arg{name: "list_all_bucket_names", value: "true"})
	}
	return slices.Replace(args, i, i+1, instead...)
}
