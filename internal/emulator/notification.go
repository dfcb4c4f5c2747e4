package emulator

import (
	"slices"
	"strings"
)

// A notificationRule sends events to a web server; see the "Event
// Notifications Reference Guide". The service never delivers from here, and so
// never suspends a rule.
type notificationRule struct {
	Name              string         `json:"name"`
	Events            []string       `json:"events"`
	Prefix            string         `json:"prefix"`
	Enabled           bool           `json:"enabled"`
	MaxEventsPerBatch int64          `json:"maxBatch"`
	URL               string         `json:"url"`
	Headers           []customHeader `json:"headers"` // nil: null
	SigningSecret     string         `json:"secret,omitempty"`
}

type customHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

const (
	maxNotificationRules = 25
	maxEventBatch        = 50
	maxCustomHeaders     = 10
)

// eventTypes are the event types by category; "*" means all of one.
var eventTypes = map[string][]string{
	"b2:ObjectCreated":     {"*", "Upload", "MultipartUpload", "Copy", "Replica", "MultipartReplica"},
	"b2:ObjectDeleted":     {"*", "Delete", "LifecycleRule"},
	"b2:HideMarkerCreated": {"*", "Hide", "LifecycleRule"},
}

func getNotificationRules(c *call) error {
	id := c.in.requiredText("bucketId")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if _, err := c.allowedBucket(id); err != nil {
		return err
	}
	var rules []notificationRule
	if _, err := load(c.tx, "r"+id, &rules); err != nil {
		return err
	}
	c.out.notificationRules(id, rules)
	return nil
}

func setNotificationRules(c *call) error {
	id := c.in.requiredText("bucketId")
	c.in.require("eventNotificationRules")
	all, _ := c.in.objects("eventNotificationRules")
	var rules []notificationRule
	for _, in := range all {
		rules = append(rules, readNotificationRule(in))
	}
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if _, err := c.allowedBucket(id); err != nil {
		return err
	}
	if len(rules) > maxNotificationRules {
		return badRequest("a bucket may have no more than %d event notification rules", maxNotificationRules)
	}
	for i, r := range rules {
		if err := r.check(); err != nil {
			return err
		}
		for _, other := range rules[:i] {
			if err := r.checkBeside(other); err != nil {
				return err
			}
		}
	}
	save(c.tx, "r"+id, rules)
	c.out.notificationRules(id, rules)
	return nil
}

func readNotificationRule(in *params) notificationRule {
	r := notificationRule{Name: in.requiredText("name"), Prefix: in.text("objectNamePrefix"), MaxEventsPerBatch: 1}
	in.require("objectNamePrefix")
	in.require("eventTypes")
	in.require("isEnabled")
	r.Events, _ = in.texts("eventTypes")
	r.Enabled, _ = in.flag("isEnabled")
	if n, ok := in.integer("maxEventsPerBatch"); ok {
		r.MaxEventsPerBatch = n
	}
	// What the service tells about a rule may be sent back, and is ignored.
	in.readIsSet("isSuspended")
	in.readIsSet("suspensionReason")
	in.require("targetConfiguration")
	target := in.object("targetConfiguration")
	if target == nil {
		return r
	}
	if kind := target.requiredText("targetType"); kind != "" && kind != "webhook" {
		target.fail(badRequest("targetType must be webhook: '%s'", kind))
	}
	r.URL = target.requiredText("url")
	r.SigningSecret = target.text("hmacSha256SigningSecret")
	if headers, ok := target.objects("customHeaders"); ok {
		r.Headers = []customHeader{}
		for _, h := range headers {
			r.Headers = append(r.Headers, customHeader{h.requiredText("name"), h.text("value")})
		}
	}
	return r
}

func (r notificationRule) check() error {
	switch {
	case !strings.HasPrefix(r.URL, "https://"):
		return badRequest("the url of rule '%s' must begin with https://", r.Name)
	case r.SigningSecret != "" && !isName(r.SigningSecret, 32, 32, ""):
		return badRequest("hmacSha256SigningSecret must be 32 letters and digits")
	case r.MaxEventsPerBatch < 1 || r.MaxEventsPerBatch > maxEventBatch:
		return badRequest("maxEventsPerBatch must be from 1 to %d: %d", maxEventBatch, r.MaxEventsPerBatch)
	case len(r.Headers) > maxCustomHeaders:
		return badRequest("a rule may have no more than %d custom headers", maxCustomHeaders)
	case len(r.Events) == 0:
		return refuse(400, "event_types_empty", "eventTypes must not be empty")
	}
	for _, e := range r.Events {
		category, action := splitEvent(e)
		if !slices.Contains(eventTypes[category], action) {
			return refuse(400, "event_type_invalid", "unknown event type: '%s'", e)
		}
		if action != "*" && slices.Contains(r.Events, category+":*") {
			return refuse(400, "event_type_categories", "'%s' is contained in '%s:*'", e, category)
		}
	}
	return checkRuleName("name", r.Name)
}

// redactSecretsAndHeaders is a copy that can be shown.
func redactSecretsAndHeaders(rules []notificationRule) (copies []notificationRule) {
	out := slices.Clone(rules)
	for i := range out {
		if out[i].SigningSecret != "" {
			out[i].SigningSecret = "(secret)"
		}
		out[i].Headers = slices.Clone(out[i].Headers)
		for j := range out[i].Headers {
			out[i].Headers[j].Value = "(secret)"
		}
	}
	return out
}

// splitEvent takes "b2:ObjectCreated:Copy" apart before its last colon.
func splitEvent(event string) (category, action string) {
	i := strings.LastIndexByte(event, ':')
	if i < 0 {
		return event, ""
	}
	return event[:i], event[i+1:]
}

// checkBeside refuses two rules that one event would match.
func (r notificationRule) checkBeside(other notificationRule) error {
	if r.Name == other.Name {
		return badRequest("two rules are named '%s'", r.Name)
	}
	if !strings.HasPrefix(r.Prefix, other.Prefix) && !strings.HasPrefix(other.Prefix, r.Prefix) {
		return nil
	}
	for _, a := range r.Events {
		for _, b := range other.Events {
			categoryA, actionA := splitEvent(a)
			categoryB, actionB := splitEvent(b)
			if categoryA == categoryB && (actionA == actionB || actionA == "*" || actionB == "*") {
				return refuse(400, "event_type_overlap", "rules '%s' and '%s' overlap", other.Name, r.Name)
			}
		}
	}
	return nil
}

func (w *jsonPrinter) notificationRules(bucketID string, rules []notificationRule) {
	w.begin("", '{')
	w.text("bucketId", bucketID)
	w.begin("eventNotificationRules", '[')
	for _, r := range rules {
		w.begin("", '{')
		w.texts("eventTypes", r.Events)
		w.flag("isEnabled", r.Enabled)
		w.flag("isSuspended", false)
		w.number("maxEventsPerBatch", r.MaxEventsPerBatch)
		w.text("name", r.Name)
		w.text("objectNamePrefix", r.Prefix)
		w.text("suspensionReason", "")
		w.begin("targetConfiguration", '{')
		w.customHeaders(r.Headers)
		w.textOrNull("hmacSha256SigningSecret", r.SigningSecret)
		w.text("targetType", "webhook")
		w.text("url", r.URL)
		w.end('}')
		w.end('}')
	}
	w.end(']')
	w.end('}')
}

func (w *jsonPrinter) customHeaders(headers []customHeader) {
	if headers == nil {
		w.null("customHeaders")
		return
	}
	w.begin("customHeaders", '[')
	for _, h := range headers {
		w.begin("", '{')
		w.text("name", h.Name)
		w.text("value", h.Value)
		w.end('}')
	}
	w.end(']')
}
