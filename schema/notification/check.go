package notification

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/kind"
)

// Lengths stand apart: a counted repetition makes a large program, which every
// start of b2form would pay for.
var (
	legalName   = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	legalSecret = regexp.MustCompile(`^[A-Za-z0-9]+$`)
	legalHeader = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
)

const (
	minName    = 6
	maxName    = 63
	secretSize = 32
	maxRules   = 25
	maxHeaders = 10
	maxBatch   = 50
)

// eventTypes are all types; one that ends in "*" stands for those of its
// category.
func eventTypes() []string {
	return []string{
		"b2:ObjectCreated:*", "b2:ObjectCreated:Upload", "b2:ObjectCreated:MultipartUpload", "b2:ObjectCreated:Copy",
		"b2:ObjectCreated:Replica", "b2:ObjectCreated:MultipartReplica",
		"b2:ObjectDeleted:*", "b2:ObjectDeleted:Delete", "b2:ObjectDeleted:LifecycleRule",
		"b2:HideMarkerCreated:*", "b2:HideMarkerCreated:Hide", "b2:HideMarkerCreated:LifecycleRule",
	}
}

// sortAndCompactEventTypes gives lists of event types, whose order means nothing, one form.
func sortAndCompactEventTypes(v cty.Value) cty.Value {
	if !v.IsWhollyKnown() || v.LengthInt() == 0 {
		return v
	}
	list := v.AsValueSlice()
	if slices.ContainsFunc(list, cty.Value.IsNull) {
		return v // the check refuses it
	}
	slices.SortFunc(list, func(a, b cty.Value) int { return cmp.Compare(a.AsString(), b.AsString()) })
	return cty.ListVal(slices.CompactFunc(list, cty.Value.RawEquals))
}

func checkRuleName(v cty.Value) kind.Problems {
	s := v.AsString()
	if !legalName.MatchString(s) || len(s) < minName || len(s) > maxName || strings.HasPrefix(s, "b2-") {
		return kind.Errorf("Invalid rule name", "The name of a rule has 6 to 63 letters, digits and dashes and does not start with "+
			"\"b2-\"; this is %q.", s)
	}
	return nil
}

func checkEventTypes(v cty.Value) kind.Problems {
	if v.LengthInt() == 0 {
		return kind.Errorf("Rule without events", "Name at least one event type, such as \"b2:ObjectCreated:*\".")
	}
	var ps kind.Problems
	var seen []string
	for _, e := range v.AsValueSlice() {
		if e.IsNull() {
			ps = append(ps, kind.Errorf("Invalid event type", "An event type is null; leave it out instead.")...)
			continue
		}
		s := e.AsString()
		if !slices.Contains(eventTypes(), s) {
			ps = append(ps, kind.Errorf("Unknown event type", "B2 knows no event type %q.%s",
				s, cmp.Or(words.DidYouMean(s, "", eventTypes()), " They are "+strings.Join(eventTypes(), ", ")+"."))...)
			continue
		}
		seen = append(seen, s)
	}
	for _, s := range seen {
		if all := eventCategory(s) + ":*"; s != all && slices.Contains(seen, all) {
			ps = append(ps, kind.Errorf("Event type named twice", "%q is contained in %q, and B2 refuses both in one rule. Remove one "+
				"of them.", s, all)...)
		}
	}
	return ps
}

// eventCategory is the type without its action: "b2:ObjectCreated".
func eventCategory(event string) string { return event[:strings.LastIndexByte(event, ':')] }

func checkBatchSize(v cty.Value) kind.Problems {
	if n := v.AsBigFloat(); !n.IsInt() || n.Sign() <= 0 || v.GreaterThan(cty.NumberIntVal(maxBatch)).True() {
		return kind.Errorf("Invalid size of a batch", "max_events_per_batch is a whole number from 1 to %d; this is %s.", maxBatch,
			n.Text('f', -1))
	}
	return nil
}

func checkTargetType(v cty.Value) kind.Problems {
	if v.AsString() != "webhook" {
		return kind.Errorf("Invalid type of target", "B2 knows only the target_type \"webhook\"; this is %q.", v.AsString())
	}
	return nil
}

func checkWebhookURL(v cty.Value) kind.Problems {
	s := v.AsString()
	u, err := url.Parse(s)
	if err == nil && strings.HasPrefix(s, "https://") && u.Hostname() != "" && isPortOrEmpty(u.Port()) &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return nil
	}
	return kind.Errorf("Invalid URL", "B2 calls https URLs only, such as \"https://www.example.com/events\": https:// in lower case, a "+
		"host, perhaps a port from 1 to 65535, and no spaces.")
}

func isPortOrEmpty(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return s == "" || err == nil && n > 0
}

func checkHeaderName(v cty.Value) kind.Problems {
	if !legalHeader.MatchString(v.AsString()) { // which may be a whole line of a header, with the value
		return kind.Errorf("Invalid header name", "The name of a header has letters, digits and characters such as dashes, and no spaces, "+
			"colons or line breaks.")
	}
	return nil
}

// checkHeaderValue does not repeat the value, which is a secret.
func checkHeaderValue(v cty.Value) kind.Problems {
	if strings.ContainsFunc(v.AsString(), unicode.IsControl) {
		return kind.Errorf("Invalid header value", "The value of a header has no line breaks or other control characters; this one has. "+
			"trimspace() takes a line break at the end off.")
	}
	return nil
}

func checkCustomHeaders(v cty.Value) kind.Problems {
	if n := v.LengthInt(); n > maxHeaders {
		return kind.Errorf("Too many headers", "A rule has at most %d custom headers; these are %d.", maxHeaders, n)
	}
	var ps kind.Problems
	seen := map[string]bool{}
	for i, h := range v.AsValueSlice() {
		if !h.IsKnown() || !h.GetAttr("name").IsKnown() {
			continue
		}
		name := h.GetAttr("name").AsString()
		if folded := strings.ToLower(name); !seen[folded] {
			seen[folded] = true
			continue
		}
		ps = append(ps, kind.Errorf("Duplicate header", "Another header of this rule is named %q already, whatever its case. Remove one "+
			"of them.", name).PrefixPaths(cty.IndexIntPath(i).GetAttr("name"))...)
	}
	return ps
}

// checkSigningSecret does not repeat the secret.
func checkSigningSecret(v cty.Value) kind.Problems {
	if s := v.AsString(); !legalSecret.MatchString(s) || len(s) != secretSize {
		return kind.Errorf("Invalid signing secret", "A signing secret has exactly 32 letters and digits; this one has %d characters or "+
			"others.", len(v.AsString()))
	}
	return nil
}

// checkRules judges the rules beside each other: B2 refuses two that one event
// would match.
func checkRules(v cty.Value) kind.Problems {
	rules := v.AsValueSlice()
	switch n := len(rules); {
	case n == 0:
		return kind.Errorf("No rules", "Write at least one rule, or remove the block if the bucket is to have none.")
	case n > maxRules:
		return kind.Errorf("Too many rules", "A bucket has at most %d notification rules; these are %d.", maxRules, n)
	}
	var ps kind.Problems
	for i, r := range rules {
		for _, other := range rules[:i] {
			ps = append(ps, checkRulePair(r, other).PrefixPaths(cty.IndexIntPath(i))...)
		}
	}
	return ps
}

func checkRulePair(r, other cty.Value) kind.Problems {
	if !r.IsWhollyKnown() || !other.IsWhollyKnown() {
		return nil
	}
	name, first := r.GetAttr("name").AsString(), other.GetAttr("name").AsString()
	if name == first {
		return kind.Errorf("Duplicate rule name", "Another rule of this bucket is named %q already; names must be unique.",
			name).PrefixPaths(cty.GetAttrPath("name"))
	}
	p, q := r.GetAttr("object_name_prefix").AsString(), other.GetAttr("object_name_prefix").AsString()
	if !strings.HasPrefix(p, q) && !strings.HasPrefix(q, p) {
		return nil
	}
	for _, a := range r.GetAttr("event_types").AsValueSlice() {
		for _, b := range other.GetAttr("event_types").AsValueSlice() {
			if event := a.AsString(); eventTypesOverlap(event, b.AsString()) {
				return kind.Errorf("Rules overlap", "One file could match both %q and %q for %s, which B2 refuses. Give them prefixes "+
					"that exclude each other, or other event types.",
					first, name, event).PrefixPaths(cty.GetAttrPath("event_types"))
			}
		}
	}
	return nil
}

func eventTypesOverlap(a, b string) bool {
	return a == b || eventCategory(a) == eventCategory(b) && (strings.HasSuffix(a, ":*") || strings.HasSuffix(b, ":*"))
}
