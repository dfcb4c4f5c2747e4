package audit

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"

	"b2form/schema/kind"
)

// Rules lists all that a report may find, sorted.
func Rules() []kind.LintRuleName {
	wide, unusable := kind.DeniableRules()
	rules := append(slices.Concat(wide, unusable), bucketGone, duplicateName, expiresSoon, unowned)
	slices.Sort(rules)
	return rules
}

// A Filter says which credentials a report keeps. What is empty keeps all.
type Filter struct {
	NamePattern   string // a pattern, as path.Match has them
	ReachedBucket string // one that the credential reaches
	Findings      []kind.LintRuleName
}

// Keep drops what the filter does not keep.
func (r *Report) Keep(f Filter) {
	r.Credentials = slices.DeleteFunc(r.Credentials, func(c Credential) bool { return !f.keeps(c) })
}

func (f Filter) keeps(c Credential) bool {
	if ok, err := path.Match(f.NamePattern, c.Name); f.NamePattern != "" && (err != nil || !ok) {
		return false
	}
	if buckets := c.LimitedToBuckets(); f.ReachedBucket != "" && len(buckets) > 0 &&
		!slices.Contains(buckets, strings.ToLower(f.ReachedBucket)) {
		return false
	}
	return len(f.Findings) == 0 ||
		slices.ContainsFunc(c.Findings, func(found kind.Finding) bool { return slices.Contains(f.Findings, found.Rule) })
}

// LimitedToBuckets are those that the credential is limited to, in lower case; none: it is not.
func (c *Credential) LimitedToBuckets() (lowerCaseNames []string) {
	buckets, _ := c.Kind.Credential.Reach(c.LiveValue)
	for i := range buckets {
		buckets[i] = strings.ToLower(buckets[i])
	}
	return buckets
}

// SortColumns are the orders that a report can be in.
func SortColumns() []string { return []string{"name", "owner", "expires", "findings"} }

// Sort brings the credentials into an order: by name, by owner with those that nobody
// owns at the end, by expiry with those that never end at the end, or by the number of
// findings with the most at first. What is equal stays in the order of names.
func (r *Report) Sort(column string) {
	slices.SortStableFunc(r.Credentials, func(a, b Credential) int {
		switch column {
		case "owner":
			return cmp.Or(compareTrueLast(!a.InState, !b.InState), strings.Compare(a.StateAddr.String(), b.StateAddr.String()))
		case "expires":
			return cmp.Or(compareTrueLast(a.Expires.IsZero(), b.Expires.IsZero()), time.Time.Compare(a.Expires, b.Expires))
		case "findings":
			return cmp.Compare(len(b.Findings), len(a.Findings))
		}
		return 0
	})
}

func compareTrueLast(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
