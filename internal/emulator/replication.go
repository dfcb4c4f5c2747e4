package emulator

import (
	"math"
	"reflect"
	"strings"
)

// replication is where a bucket's files go and come from; see "Cloud
// Replication". A half that is not configured is nil.
type replication struct {
	Source *replicationSource `json:"source,omitempty"`
	// SourceToDestinationKeys maps the keys that read elsewhere to the keys that write here.
	SourceToDestinationKeys map[string]string `json:"destination,omitempty"`
}

type replicationSource struct {
	KeyID string            `json:"key"`
	Rules []replicationRule `json:"rules"`
}

type replicationRule struct {
	Name                string `json:"name"`
	DestinationBucketID string `json:"destination"`
	Prefix              string `json:"prefix"`
	IncludeExisting     bool   `json:"includeExisting"`
	Enabled             bool   `json:"enabled"`
	Priority            int64  `json:"priority"`
}

const (
	maxReplicationRules = 2
	defaultPriority     = 128
)

func (c *call) readReplication(b *bucket) error {
	in := c.in.object("replicationConfiguration")
	if in == nil {
		if c.nullClearsMember("replicationConfiguration") {
			b.Replication = nil
		}
		return nil
	}
	source, destination := in.object("asReplicationSource"), in.object("asReplicationDestination")
	var r replication
	if source != nil {
		r.Source = readReplicationSource(source)
	}
	if destination != nil {
		destination.require("sourceToDestinationKeyMapping")
		r.SourceToDestinationKeys, _ = destination.pairs("sourceToDestinationKeyMapping")
	}
	switch sw := c.server.options.Switches; {
	case !c.mayWriteSetting("writeBucketReplications"):
		return unauthorized()
	case r.Source == nil && r.SourceToDestinationKeys == nil:
		b.Replication = nil
		return nil
	case sw.EmailNotVerified:
		return refuse(401, "email_not_verified", "The account's email address has not been verified.")
	case sw.NoPaymentHistory:
		return refuse(401, "no_payment_history", "The account has no payment history.")
	}
	before := b.Replication
	b.Replication = &r
	if r.Source == nil {
		return nil
	}
	if err := c.checkReplicationSource(r.Source); err != nil {
		return err
	}
	if before != nil && reflect.DeepEqual(before.Source, r.Source) {
		return nil
	}
	return c.checkDestinationsFirst(r.Source)
}

func readReplicationSource(in *params) *replicationSource {
	s := &replicationSource{KeyID: in.requiredText("sourceApplicationKeyId")}
	in.require("replicationRules")
	rules, _ := in.objects("replicationRules")
	for _, rule := range rules {
		r := replicationRule{
			Name:                rule.requiredText("replicationRuleName"),
			DestinationBucketID: rule.requiredText("destinationBucketId"),
			Prefix:              rule.text("fileNamePrefix"),
			Priority:            defaultPriority,
		}
		r.IncludeExisting, _ = rule.flag("includeExistingFiles")
		r.Enabled, _ = rule.flag("isEnabled")
		if n, ok := rule.integer("priority"); ok {
			r.Priority = n
		}
		s.Rules = append(s.Rules, r)
	}
	return s
}

func (c *call) checkReplicationSource(s *replicationSource) error {
	if len(s.Rules) > maxReplicationRules {
		return badRequest("a bucket may have no more than %d replication rules", maxReplicationRules)
	}
	for _, r := range s.Rules {
		if !isName(r.Name, 1, 64, "-_") {
			return badRequest("replicationRuleName must be 1 to 64 letters, digits, '-' and '_': '%s'", r.Name)
		}
		// The Python SDK starts at 1 by itself; blazer's tests of the service
		// send 0 and have it taken.
		if r.Priority < 0 || r.Priority > math.MaxInt32 {
			return badRequest("priority must be from 0 to %d: %d", math.MaxInt32, r.Priority)
		}
		if c.server.account.isForeign(r.DestinationBucketID) {
			continue // nobody here knows the buckets of other accounts
		}
		if _, err := c.loadBucket(r.DestinationBucketID); err != nil {
			return err
		}
	}
	return nil
}

// checkDestinationsFirst refuses a source whose destinations do not list its key. Whether B2 looks again at a source
// that stays as it is, nobody says.
func (c *call) checkDestinationsFirst(s *replicationSource) error {
	if !c.server.options.Switches.DestinationsFirst {
		return nil
	}
	for _, r := range s.Rules {
		if c.server.account.isForeign(r.DestinationBucketID) {
			continue
		}
		to, err := c.loadBucket(r.DestinationBucketID)
		if err != nil {
			return err
		}
		if to.Replication == nil || to.Replication.SourceToDestinationKeys[s.KeyID] == "" {
			return badRequest("destination bucket is not configured for source key %s", s.KeyID)
		}
	}
	return nil
}

// replicationPending is the status of files that are to be replicated, which
// here never comes to pass.
const replicationPending = "PENDING"

// maxReplicatedInfo is how much file info keeps a file from being replicated,
// in bytes.
const maxReplicatedInfo = 2048

// initialReplicationStatus gives the replication status of a new file, "" if no rule of
// its bucket reaches it.
func (b bucket) initialReplicationStatus(f file) string {
	if b.Replication == nil || b.Replication.Source == nil || f.CustomerKeyMD5 != "" || infoSize(f.Info) > maxReplicatedInfo {
		return ""
	}
	for _, r := range b.Replication.Source.Rules {
		if r.Enabled && strings.HasPrefix(f.Name, r.Prefix) {
			return replicationPending
		}
	}
	return ""
}

func infoSize(info map[string]string) (size int) {
	for k, v := range info {
		size += len(k) + len(v)
	}
	return size
}

func (w *jsonPrinter) replication(name string, r *replication) {
	if r == nil {
		w.null(name)
		return
	}
	w.begin(name, '{')
	if r.SourceToDestinationKeys == nil {
		w.null("asReplicationDestination")
	} else {
		w.begin("asReplicationDestination", '{')
		w.pairs("sourceToDestinationKeyMapping", r.SourceToDestinationKeys)
		w.end('}')
	}
	if r.Source == nil {
		w.null("asReplicationSource")
	} else {
		w.replicationSource(r.Source)
	}
	w.end('}')
}

func (w *jsonPrinter) replicationSource(s *replicationSource) {
	w.begin("asReplicationSource", '{')
	w.begin("replicationRules", '[')
	for _, r := range s.Rules {
		w.begin("", '{')
		w.text("destinationBucketId", r.DestinationBucketID)
		w.text("fileNamePrefix", r.Prefix)
		w.flag("includeExistingFiles", r.IncludeExisting)
		w.flag("isEnabled", r.Enabled)
		w.number("priority", r.Priority)
		w.text("replicationRuleName", r.Name)
		w.end('}')
	}
	w.end(']')
	w.text("sourceApplicationKeyId", s.KeyID)
	w.end('}')
}
