package notification

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// suspendedRulesAttr are the rules that B2 has stopped: it does so where a web server
// does not answer. What a client says of that is ignored ("b2_set_bucket_notification_rules").
func suspendedRulesAttr() kind.Attr {
	text := func(name, wire, doc string) kind.Attr {
		return kind.Attr{Name: name, WirePath: wire, Type: cty.String, Computed: true, Doc: doc}
	}
	return kind.Attr{Name: "suspended", Encoding: kind.Encoding{ReadPath: "eventNotificationRules"}, Computed: true, Many: true,
		Compare: kind.Compare{Normalize: onlySuspended},
		Doc:     "Rules that B2 has suspended, with its reasons. Every plan warns of them.",
		Object: []kind.Attr{
			text("name", "name", "The rule."),
			{Name: "is_suspended", WirePath: "isSuspended", Type: cty.Bool, Computed: true, Doc: "True."},
			text("suspension_reason", "suspensionReason", "Why, in B2's words."),
		}}
}

func onlySuspended(v cty.Value) cty.Value {
	var out []cty.Value
	for _, r := range v.AsValueSlice() {
		if s := r.GetAttr("is_suspended"); s.IsKnown() && !s.IsNull() && s.True() {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return cty.ListValEmpty(v.Type().ElementType())
	}
	return cty.ListVal(out)
}

// warnSuspended warns of suspended rules.
func warnSuspended(live kind.AttrReader) kind.Problems {
	list := live.GetAttr("suspended")
	if list.IsNull() || !list.IsWhollyKnown() {
		return nil
	}
	var ps kind.Problems
	for _, r := range list.AsValueSlice() {
		because := "."
		if why := kind.EmptyIfNull(r.GetAttr("suspension_reason")); why != "" {
			because = fmt.Sprintf(", because of this: %s.", strings.TrimRight(why, "."))
		}
		ps = append(ps, kind.Warnf("Notification rule is suspended", "B2 calls nobody for the rule %q%s See to the web server, then set "+
			"the rules again, as by a change of one of them.", kind.EmptyIfNull(r.GetAttr("name")),
			because).PrefixPaths(cty.GetAttrPath("rules"))...)
	}
	return ps
}
