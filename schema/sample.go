package schema

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// sampleLookup answers with made-up values of the right form, so that templates can
// be tried before there is anything to put into them.
func sampleLookup(kinds []*kind.Kind) config.LiveLookup {
	all := make(map[string]map[string]cty.Value, len(kinds))
	for _, k := range kinds {
		all[k.Name] = map[string]cty.Value{}
		for _, a := range k.ComputedAttrs() {
			all[k.Name][a.Name] = sampleValue(k, a)
		}
	}
	return func(a addr.Addr) (map[string]cty.Value, bool) { return all[a.Kind], true }
}

func selfSample(k *kind.Kind) map[string]cty.Value {
	out := map[string]cty.Value{}
	for _, name := range deliverSelfAttrNames(k) {
		out[name] = sampleValue(k, k.FindAttr(name))
	}
	return out
}

// sampleValue follows the forms that the B2 documentation shows: key IDs of 25
// characters, secrets of 31, bucket IDs of 24.
func sampleValue(k *kind.Kind, a *kind.Attr) cty.Value {
	switch {
	case a.FromAccount != nil:
		return a.FromAccount(&wire.Account{ID: "000000000000", KeyID: "000000000000", Realm: "https://api.backblazeb2.com",
			S3URL: "https://s3.us-west-004.backblazeb2.com", DownloadURL: "https://f004.backblazeb2.com",
			APIURL: "https://api004.backblazeb2.com"})
	case len(a.Samples) > 0:
		return a.Samples[0]
	case a.Type == cty.Number:
		return cty.NumberIntVal(1)
	case a.Type == cty.Bool:
		return cty.False
	case a.Type == cty.Set(cty.String):
		return cty.SetVal([]cty.Value{cty.StringVal("s3")})
	case a.Type != cty.String:
		return cty.NullVal(a.ValueType())
	case a.Secret:
		return cty.StringVal("K004" + strings.Repeat("0", 27))
	case k.YieldsSecret() && a.Name == k.IDAttr:
		return cty.StringVal("004" + strings.Repeat("0", 22))
	}
	return cty.StringVal(strings.Repeat("0", 24))
}
