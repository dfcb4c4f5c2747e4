package key

import (
	"time"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/kind"
)

// rotateAttr describes how a key is renewed. B2 knows nothing of it.
func rotateAttr() kind.Attr {
	str := cty.String
	return kind.Attr{Name: "rotate", GuidePage: "rotation",
		Doc: "Renews the key from time to time without an outage: a run makes and delivers the new one, and a later run deletes the old " +
			"one. Such a key lives in B2 as its name, a dash and the time of its creation.",
		Object: []kind.Attr{
			{Name: "every", Type: str, Samples: kind.StringValues("90d"), Check: checkRotationDuration,
				Doc: "The age at which the key is renewed: \"90d\", \"12h\". Left out: only before it expires."},
			{Name: "overlap", Type: str, Default: cty.StringVal("1d"), Samples: kind.StringValues("7d"), Check: checkRotationDuration,
				Doc: "How long the old key works beside the new one; shorter than every. \"0\" deletes it at once."},
			{Name: "renew_before", Type: str, Samples: kind.StringValues("14d"), Check: checkRotationDuration,
				Doc: "How long before its expiry a key with valid_duration is renewed at the latest. Left out: the overlap."},
		}}
}

// checkRotationDuration judges a duration that B2 never sees.
func checkRotationDuration(v cty.Value) kind.Problems {
	if n, ok := parseDurationInSeconds(v.AsString()); !ok || n < 0 {
		return kind.Errorf("Invalid duration", "%q is not a duration. Write \"90d\", \"12h\", \"30m\" or a number of seconds.",
			v.AsString())
	}
	return nil
}

// rotation reads the rotate attribute of a completed configuration.
func rotation(v kind.AttrReader) (times kind.Rotation, rotates bool) {
	r := v.GetAttr("rotate")
	if r.IsNull() || !r.IsWhollyKnown() {
		return kind.Rotation{}, false
	}
	get := func(name string) (d time.Duration, given bool) {
		if s := r.GetAttr(name); !s.IsNull() {
			return parseCheckedDuration(s.AsString()), true
		}
		return 0, false
	}
	var out kind.Rotation
	out.Every, _ = get("every")
	out.Overlap, _ = get("overlap")
	var given bool
	if out.RenewBefore, given = get("renew_before"); !given {
		out.RenewBefore = out.Overlap
	}
	return out, true
}

// longestRotating is how long the declared name of a key that rotates may be: it lives with the time behind it.
func longestRotating() int { return longest - len(kind.TimestampedName("", time.Time{})) }

// checkRotation judges the times of a rotation against one another.
func checkRotation(v kind.AttrReader) kind.Problems {
	r, ok := rotation(v)
	if !ok {
		return nil
	}
	name, lasts := v.GetAttr("name"), v.GetAttr("valid_duration")
	every := !v.GetAttr("rotate").GetAttr("every").IsNull()
	var ps kind.Problems
	wrong := func(attr, summary, detail string, args ...any) {
		ps = append(ps, kind.Errorf(summary, detail, args...).PrefixPaths(cty.GetAttrPath("rotate").GetAttr(attr))...)
	}
	if most := longestRotating(); name.IsKnown() && !name.IsNull() && len(name.AsString()) > most {
		ps = append(ps, kind.Errorf("Invalid key name",
			"A key that rotates lives as its name with the time behind it, and B2 allows %d characters for both: use at most %d.", longest,
			most).PrefixPaths(cty.GetAttrPath("name"))...)
	}
	if every && r.Every < time.Minute {
		wrong("every", "Rotation is too frequent", "Every is %s. A key can be renewed once a minute at most.", words.ExactDuration(r.Every))
	} else if every && r.Overlap >= r.Every {
		wrong("overlap", "Overlap is too long",
			"The overlap is %s and the key is renewed every %s, so that old keys would pile up. Make the overlap shorter than every.",
			words.ExactDuration(r.Overlap), words.ExactDuration(r.Every))
	}
	switch {
	case lasts.IsNull() && !every:
		wrong("every", "Nothing to rotate for", "The key never expires, and every is left out, so it would never be renewed. Say how "+
			"often: every = \"90d\".")
	case lasts.IsNull() && !v.GetAttr("rotate").GetAttr("renew_before").IsNull():
		wrong("renew_before", "Key never expires", "renew_before counts from the key's expiry, and it has none. Set valid_duration, or "+
			"leave renew_before out.")
	case lasts.IsNull() || !lasts.IsKnown():
	case r.RenewBefore >= parseCheckedDuration(lasts.AsString()):
		wrong("renew_before", "Key would always be due",
			"The key lives for %s and is renewed %s before its end (renew_before; left out: the overlap). Shorten renew_before, or "+
				"lengthen valid_duration.",
			words.ExactDuration(parseCheckedDuration(lasts.AsString())), words.ExactDuration(r.RenewBefore))
	case r.RenewBefore < r.Overlap && (!every || r.Every+r.Overlap > parseCheckedDuration(lasts.AsString())):
		ps = append(ps, kind.Warnf("Overlap is cut short",
			"The key is renewed %s before it expires, which is less than the overlap of %s. Make renew_before at least as long as the "+
				"overlap.",
			words.ExactDuration(r.RenewBefore),
			words.ExactDuration(r.Overlap)).PrefixPaths(cty.GetAttrPath("rotate").GetAttr("renew_before"))...)
	}
	return ps
}

// sameNameIgnoringTimestamp lets a key live under its name with the time behind it. So turning
// rotation off changes nothing until the key is replaced for another reason.
func sameNameIgnoringTimestamp(p kind.Comparison) bool {
	want, live := p.Want.GetAttr("name").AsString(), p.Live.GetAttr("name").AsString()
	name, _, _ := kind.ParseTimestampedName(live)
	return want == live || want == name
}
