package functions

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"b2form/schema/bucket"
	"b2form/schema/key"
	"b2form/schema/kind"
)

// lifecyclePresets are the web console's three choices of a lifecycle ("Lifecycle Rules"
// in the B2 documentation), as lists to be used alone or in concat().
func lifecyclePresets() map[string]function.Function {
	rule := map[string]cty.Type{
		"file_name_prefix":                                       cty.String,
		"days_from_uploading_to_hiding":                          cty.Number,
		"days_from_hiding_to_deleting":                           cty.Number,
		"days_from_starting_to_canceling_unfinished_large_files": cty.Number,
	}
	list := cty.List(cty.Object(rule))
	keep := func(days cty.Value) cty.Value {
		members := make(map[string]cty.Value, len(rule))
		for name, t := range rule {
			members[name] = cty.NullVal(t)
		}
		members["file_name_prefix"], members["days_from_hiding_to_deleting"] = cty.StringVal(""), days
		return cty.ListVal([]cty.Value{cty.ObjectVal(members)})
	}
	return map[string]function.Function{
		"keep_only_last_version": whollyKnownFunction(list, func([]cty.Value) (cty.Value, error) { return keep(cty.NumberIntVal(1)), nil }),
		"keep_all_versions": whollyKnownFunction(list, func([]cty.Value) (cty.Value, error) {
			return cty.ListValEmpty(list.ElementType()), nil
		}),
		"keep_prior_versions": whollyKnownFunction(list, func(args []cty.Value) (cty.Value, error) {
			if f := args[0].AsBigFloat(); !f.IsInt() || f.Sign() < 1 {
				return cty.NilVal, function.NewArgErrorf(0, "a whole number of days of at least 1 is needed; to keep only the last "+
					"version use keep_only_last_version()")
			}
			return keep(args[0]), nil
		}, param("days", cty.Number)),
	}
}

// corsPresets are what web pages need for downloads and for uploads, as lists to
// be used alone or in concat().
func corsPresets() map[string]function.Function {
	rulesType := bucket.CORSRulesType()
	preset := func(rules func(origins cty.Value) cty.Value) function.Function {
		return whollyKnownFunction(rulesType, func(args []cty.Value) (cty.Value, error) {
			if args[0].LengthInt() == 0 {
				return cty.NilVal, function.NewArgErrorf(0,
					`at least one origin is needed, such as "https://www.example.com", "https" or "*"`)
			}
			return rules(args[0]), nil
		}, param("origins", cty.List(cty.String)))
	}
	return map[string]function.Function{
		"cors_for_downloads":       preset(bucket.CORSForDownloads),
		"cors_for_browser_uploads": preset(bucket.CORSForBrowserUploads),
	}
}

// capabilityPresets are lists of capabilities.
func capabilityPresets() map[string]function.Function {
	return map[string]function.Function{
		"all_capabilities": whollyKnownFunction(cty.List(cty.String), func([]cty.Value) (cty.Value, error) {
			return cty.ListVal(kind.StringValues(key.CapabilitiesOf2026()...)), nil
		}),
	}
}
