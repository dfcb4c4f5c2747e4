package emulator

import (
	"math"
	"slices"
	"strings"
)

// A lifecycleRule says when files under a prefix go; see "Lifecycle Rules".
// Zero days are none.
type lifecycleRule struct {
	Prefix                    string `json:"prefix"`
	HideAfterDays             int64  `json:"hide,omitempty"`
	DeleteHiddenAfterDays     int64  `json:"drop,omitempty"`
	CancelUnfinishedAfterDays int64  `json:"abort,omitempty"`
	// S3ID and S3MarkerID are what the S3 face calls the rule's two halves, if
	// it made them; a native update forgets them.
	S3ID                 string `json:"s3Id,omitempty"`
	S3DeleteMarkerRuleID string `json:"s3MarkerId,omitempty"`
}

const maxLifecycleRules = 100

const (
	hideDays  = "daysFromUploadingToHiding"
	dropDays  = "daysFromHidingToDeleting"
	abortDays = "daysFromStartingToCancelingUnfinishedLargeFiles"
)

func (c *call) readLifecycle(b *bucket) error {
	all, ok := c.in.objects("lifecycleRules")
	if !ok {
		if c.nullClearsMember("lifecycleRules") {
			b.Lifecycle = nil
		}
		return nil
	}
	if len(all) == 0 && !c.server.keeps(emptyClears) {
		return nil
	}
	if len(all) > maxLifecycleRules {
		return badRequest("a bucket may have no more than %d lifecycle rules", maxLifecycleRules)
	}
	b.Lifecycle = nil
	for _, in := range all {
		r, err := c.readLifecycleRule(in)
		if err != nil {
			return err
		}
		b.Lifecycle = append(b.Lifecycle, r)
	}
	if c.server.options.Switches.StrictLifecycleOverlap {
		return refuseOverlap(b.Lifecycle)
	}
	return nil
}

func (c *call) readLifecycleRule(in *params) (lifecycleRule, error) {
	r := lifecycleRule{Prefix: in.requiredText("fileNamePrefix")}
	set := false
	var wrong error
	for _, days := range []struct {
		name string
		to   *int64
	}{{hideDays, &r.HideAfterDays}, {dropDays, &r.DeleteHiddenAfterDays}, {abortDays, &r.CancelUnfinishedAfterDays}} {
		n, ok := in.integer(days.name)
		if ok && (n < 1 || n > math.MaxInt32) && c.server.keeps(lifecycleRulesNeedDays) {
			wrong = badRequest("%s must be a positive number of days: %d", days.name, n)
		}
		*days.to = n
		set = set || ok
	}
	if !set && c.server.keeps(lifecycleRulesNeedDays) {
		wrong = badRequest("Rule with prefix '%s' must have at least one additional property defined", r.Prefix)
	}
	return r, wrong
}

func refuseOverlap(rules []lifecycleRule) error {
	for i, a := range rules {
		for _, b := range rules[i+1:] {
			if strings.HasPrefix(a.Prefix, b.Prefix) || strings.HasPrefix(b.Prefix, a.Prefix) {
				return badRequest("lifecycle rules overlap: '%s' and '%s'", a.Prefix, b.Prefix)
			}
		}
	}
	return nil
}

// inReplyOrder gives the rules of a bucket in the order of answers.
func inReplyOrder[R any](c *call, rules []R) []R {
	if !c.server.options.Switches.ReorderRules {
		return rules
	}
	rules = slices.Clone(rules)
	slices.Reverse(rules)
	return rules
}

// lifecycleRules prints the rules in the order they came in. The third day
// count is the youngest, and a rule without it is printed as it always was.
func (w *jsonPrinter) lifecycleRules(c *call, rules []lifecycleRule) {
	w.begin("lifecycleRules", '[')
	for _, r := range inReplyOrder(c, rules) {
		w.begin("", '{')
		w.numberOrNull(dropDays, r.DeleteHiddenAfterDays)
		if r.CancelUnfinishedAfterDays != 0 || !c.server.keeps(echoIsNormalised) {
			w.numberOrNull(abortDays, r.CancelUnfinishedAfterDays)
		}
		w.numberOrNull(hideDays, r.HideAfterDays)
		w.text("fileNamePrefix", r.Prefix)
		w.end('}')
	}
	w.end(']')
}
