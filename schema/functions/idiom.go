package functions

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"b2form/schema/bucket"
	"b2form/schema/key"
	"b2form/schema/kind"
)

// PresetCallYielding is the call of a preset that gives a value, as people write it:
// keep_prior_versions(30). "": no call does.
func PresetCallYielding(v cty.Value) string {
	switch {
	case v.IsNull() || !v.IsWhollyKnown() || !v.CanIterateElements() || v.LengthInt() == 0:
		return ""
	case v.Type().Equals(bucket.CORSRulesType()):
		return findCORSPresetCall(v)
	case v.Type().Equals(cty.List(cty.String)):
		if v.RawEquals(cty.ListVal(kind.StringValues(key.CapabilitiesOf2026()...))) {
			return "all_capabilities()"
		}
	case v.Type().IsListType() && v.Type().ElementType().IsObjectType() && v.LengthInt() == 1:
		return findLifecyclePresetCall(v)
	}
	return ""
}

func findLifecyclePresetCall(v cty.Value) string {
	all := lifecyclePresets()
	if gives(all["keep_only_last_version"], v) {
		return "keep_only_last_version()"
	}
	const days = "days_from_hiding_to_deleting"
	rule := v.Index(cty.Zero)
	if !rule.Type().HasAttribute(days) || rule.GetAttr(days).IsNull() {
		return ""
	}
	if n := rule.GetAttr(days); gives(all["keep_prior_versions"], v, n) {
		return fmt.Sprintf("keep_prior_versions(%s)", n.AsBigFloat().Text('f', -1))
	}
	return ""
}

func findCORSPresetCall(v cty.Value) string {
	if v.LengthInt() != 1 {
		return ""
	}
	origins := v.Index(cty.Zero).GetAttr("allowed_origins")
	for _, name := range []string{"cors_for_downloads", "cors_for_browser_uploads"} {
		if gives(corsPresets()[name], v, origins) {
			return name + "(" + string(hclwrite.TokensForValue(origins).Bytes()) + ")"
		}
	}
	return ""
}

// gives reports whether a call gives the value.
func gives(f function.Function, v cty.Value, args ...cty.Value) bool {
	got, err := f.Call(args)
	return err == nil && got.RawEquals(v)
}
