package emulator

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
)

// S3 says with several rules what B2 says with one; see "S3 Get Bucket Lifecycle
// Configuration". Hiding is S3's Expiration, deleting what was hidden its
// NoncurrentVersionExpiration, and B2 removes markers that are alone anyway.

// An s3LifecycleRule is a rule as clients write it. What points at nothing was
// not given.
type s3LifecycleRule struct {
	ID, Status string
	Prefix     *string
	Filter     *struct {
		Prefix *string
		And    *struct {
			Prefix                                    *string
			Tag                                       []struct{}
			ObjectSizeGreaterThan, ObjectSizeLessThan *int64
		}
		Tag                                       *struct{}
		ObjectSizeGreaterThan, ObjectSizeLessThan *int64
	}
	Expiration *struct {
		Days                      *int64
		Date                      *string
		ExpiredObjectDeleteMarker *bool
	}
	NoncurrentVersionExpiration *struct {
		NoncurrentDays          *int64
		NewerNoncurrentVersions *int64
	}
	AbortIncompleteMultipartUpload *struct{ DaysAfterInitiation *int64 }
	Transition                     []struct{}
	NoncurrentVersionTransition    []struct{}
}

func s3GetLifecycle(c *s3Call) error {
	if len(c.bucket.Lifecycle) == 0 {
		return newS3Error(404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist",
			textElement{"BucketName", c.requestBucketName})
	}
	w := &c.replyBody
	w.beginDocument("LifecycleConfiguration")
	for i, r := range c.bucket.Lifecycle {
		w.lifecycleRule(r, c.ruleID(r.S3ID, i, "rule"))
		if r.HideAfterDays == 0 {
			continue
		}
		w.begin("Rule")
		w.ruleHead(c.ruleID(r.S3DeleteMarkerRuleID, i, "marker"), r.Prefix)
		w.begin("Expiration")
		w.flag("ExpiredObjectDeleteMarker", true)
		w.end("Expiration")
		w.end("Rule")
	}
	w.end("LifecycleConfiguration")
	return nil
}

// ruleID gives a rule that was made natively an ID, which the next native
// update changes.
func (c *s3Call) ruleID(given string, i int, ruleHalf string) string {
	if given != "" {
		return given
	}
	id := c.server.account.derive("lifecycle", c.bucket.ID, strconv.FormatInt(c.bucket.Revision, 10), strconv.Itoa(i), ruleHalf)
	return hex.EncodeToString(id[:16])
}

func (w *xmlPrinter) ruleHead(id, prefix string) {
	w.text("ID", id)
	w.begin("Filter")
	w.text("Prefix", prefix)
	w.end("Filter")
	w.text("Status", "Enabled")
}

func (w *xmlPrinter) lifecycleRule(r lifecycleRule, id string) {
	w.begin("Rule")
	w.ruleHead(id, r.Prefix)
	days := func(element, member string, n int64) {
		if n != 0 {
			w.begin(element)
			w.number(member, n)
			w.end(element)
		}
	}
	days("Expiration", "Days", r.HideAfterDays)
	days("NoncurrentVersionExpiration", "NoncurrentDays", r.DeleteHiddenAfterDays)
	days("AbortIncompleteMultipartUpload", "DaysAfterInitiation", r.CancelUnfinishedAfterDays)
	w.end("Rule")
}

func s3PutLifecycle(c *s3Call) error {
	var in struct {
		Rules []s3LifecycleRule `xml:"Rule"`
	}
	if err := c.parseDocument("LifecycleConfiguration", &in); err != nil {
		return err
	}
	if len(in.Rules) == 0 {
		return s3Malformed()
	}
	var rules []lifecycleRule
	for _, r := range in.Rules {
		var err error
		if rules, err = r.mergeInto(rules); err != nil {
			return err
		}
	}
	if len(rules) > maxLifecycleRules {
		return s3Invalid(fmt.Sprintf("a bucket may have no more than %d lifecycle rules", maxLifecycleRules))
	}
	if c.server.options.Switches.StrictLifecycleOverlap {
		if err := refuseOverlap(rules); err != nil {
			return err
		}
	}
	c.bucket.Lifecycle = rules
	return c.saveNextRevision()
}

func s3DeleteLifecycle(c *s3Call) error {
	c.status = 204
	c.bucket.Lifecycle = nil
	return c.saveNextRevision()
}

// mergeInto puts what the rule says into B2's rule for the same prefix, which may
// be a new one.
func (in s3LifecycleRule) mergeInto(rules []lifecycleRule) ([]lifecycleRule, error) {
	prefix, err := in.prefix()
	if err != nil {
		return nil, err
	}
	r, err := in.nativeRule(prefix)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(rules, func(other lifecycleRule) bool { return other.Prefix == prefix })
	if i < 0 {
		if r.HideAfterDays+r.DeleteHiddenAfterDays+r.CancelUnfinishedAfterDays == 0 {
			return rules, nil // markers that are alone go anyway
		}
		return append(rules, r), nil
	}
	old := &rules[i]
	for _, days := range []struct{ old, new *int64 }{
		{&old.HideAfterDays, &r.HideAfterDays}, {&old.DeleteHiddenAfterDays, &r.DeleteHiddenAfterDays},
		{&old.CancelUnfinishedAfterDays, &r.CancelUnfinishedAfterDays},
	} {
		if *days.old != 0 && *days.new != 0 {
			return nil, s3Invalid("Two rules with the prefix '" + prefix + "' say different things about the same.")
		}
		*days.old += *days.new
	}
	if old.S3ID == "" {
		old.S3ID = r.S3ID
	}
	if r.S3DeleteMarkerRuleID != "" {
		old.S3DeleteMarkerRuleID = r.S3DeleteMarkerRuleID
	}
	return rules, nil
}

// prefix is the only thing by which B2's rules pick files.
func (in s3LifecycleRule) prefix() (string, error) {
	prefix := in.Prefix
	if f := in.Filter; f != nil {
		if f.Tag != nil || f.ObjectSizeGreaterThan != nil || f.ObjectSizeLessThan != nil {
			return "", s3NotImplemented("Filter")
		}
		if f.Prefix != nil {
			prefix = f.Prefix
		}
		if and := f.And; and != nil {
			if len(and.Tag) > 0 || and.ObjectSizeGreaterThan != nil || and.ObjectSizeLessThan != nil {
				return "", s3NotImplemented("Filter")
			}
			prefix = and.Prefix
		}
	}
	if prefix == nil {
		if in.Filter == nil {
			return "", s3Malformed()
		}
		return "", nil
	}
	return *prefix, nil
}

func (in s3LifecycleRule) nativeRule(prefix string) (r lifecycleRule, err error) {
	switch {
	case in.Status != "Enabled" && in.Status != "Disabled":
		return r, s3Malformed()
	case in.Status == "Disabled":
		return r, s3NotImplemented("Status")
	case len(in.Transition)+len(in.NoncurrentVersionTransition) > 0:
		return r, s3NotImplemented("Transition")
	case in.Expiration == nil && in.NoncurrentVersionExpiration == nil && in.AbortIncompleteMultipartUpload == nil:
		return r, newS3Error(400, "InvalidRequest", "At least one action needs to be specified in a rule")
	}
	r = lifecycleRule{Prefix: prefix, S3ID: in.ID}
	if e := in.Expiration; e != nil {
		switch {
		case e.Date != nil:
			return r, s3NotImplemented("Date")
		case (e.Days == nil) == (e.ExpiredObjectDeleteMarker == nil):
			return r, s3Malformed()
		case e.Days == nil:
			r.S3ID, r.S3DeleteMarkerRuleID = "", in.ID
		}
		if r.HideAfterDays, err = readDays(e.Days, "'Days' for Expiration action"); err != nil {
			return r, err
		}
	}
	if e := in.NoncurrentVersionExpiration; e != nil {
		if e.NewerNoncurrentVersions != nil {
			return r, s3NotImplemented("NewerNoncurrentVersions")
		}
		if e.NoncurrentDays == nil {
			return r, s3Malformed()
		}
		r.DeleteHiddenAfterDays, err = readDays(e.NoncurrentDays, "'NoncurrentDays' for NoncurrentVersionExpiration action")
		if err != nil {
			return r, err
		}
	}
	if e := in.AbortIncompleteMultipartUpload; e != nil {
		if e.DaysAfterInitiation == nil {
			return r, s3Malformed()
		}
		r.CancelUnfinishedAfterDays, err = readDays(e.DaysAfterInitiation,
			"'DaysAfterInitiation' for AbortIncompleteMultipartUpload action")
	}
	if r.S3ID == "" && r.HideAfterDays+r.DeleteHiddenAfterDays+r.CancelUnfinishedAfterDays > 0 {
		r.S3ID = in.ID
	}
	return r, err
}

func readDays(n *int64, what string) (int64, error) {
	if n == nil {
		return 0, nil
	}
	if *n < 1 || *n > 1<<31-1 {
		return 0, s3Invalid(what + " must be a positive integer")
	}
	return *n, nil
}
