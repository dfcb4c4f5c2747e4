package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/prove"
	"b2form/internal/view"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// proveOptions are the flags of prove.
type proveOptions struct {
	addrs           []addr.Addr
	secretFilePaths []string
	allowWrites     bool
	junitPath       string
}

func (p *program) proveCommand() *cli.Command {
	o := &proveOptions{}
	return p.newCommand(&cli.Command{
		Name: "prove", Usage: "Try from outside whether keys and buckets do what is declared", ArgsUsage: "[ADDRESS ...]",
		Description: `After apply. Each key authorizes, does what its capabilities promise, natively and
through S3, and is refused the rest: files outside of its prefix, another bucket,
what it has no capability for. Buckets give files to those without a key or not,
answer pages of other origins as their CORS rules say, and keep what is under
legal hold. Everything that is made for this is removed again.

A key acts with its own secret, from a file that a deliver block wrote, or a copy
with the same rights is made that lives for 15 minutes at most. Nothing is
uploaded to a bucket with a default retention or replication.

Example:
  b2form prove
  b2form prove -secrets-from=camera.env key.camera
  b2form prove -allow-writes=false -junit-xml=prove.xml

Exit codes:
  0  every promise that was tried is kept
  1  one is not, or an error`,
		Flags: slices.Concat(p.configFlags(), p.accountFlags(), []cli.Flag{
			listFlag("secrets-from", "take a key's secret from `FILE`, which a deliver block wrote; repeatable", &o.secretFilePaths),
			&cli.BoolFlag{Name: "allow-writes", Value: true, Destination: &o.allowWrites,
				Usage: "with `false`, upload nothing and make no copies of keys"},
			&cli.StringFlag{Name: "junit-xml", Usage: "write the results to `FILE`, as JUnit does", Destination: &o.junitPath},
			p.jsonFlag("print the results as JSON"),
		}),
		Action: func(ctx context.Context, c *cli.Command) (err error) {
			if o.addrs, err = parseAll(c.Args().Slice(), addr.ParseTarget); err != nil {
				return err
			}
			return p.withSession(ctx, func(ctx context.Context, s *session) error { return s.prove(ctx, o) })
		},
	})
}

func (s *session) prove(ctx context.Context, o *proveOptions) error {
	made, err := s.readStateAndPlan(ctx, view.Planning)
	if err != nil {
		return err
	}
	v := &prover{session: s, proveOptions: o, plan: made}
	if v.secretsByKeyID, err = readSecretFiles(o.secretFilePaths); err != nil {
		return err
	}
	subjects, err := v.subjects()
	if err != nil {
		return err
	}
	trials := v.trialOptions()
	if calls := trials.MaxCallsByClass(subjects); slices.ContainsFunc(subjects, prove.Subject.IsLive) {
		s.ui.Note(fmt.Sprintf("This takes at most %s of class A, which are free, %d of class B and %d of class C.\n",
			words.Count(calls['A'], "call", "calls"), calls['B'], calls['C']))
	} else {
		s.ui.Note("None of what is to be proven is applied yet, so no call is made. Run \"b2form apply\" first.\n")
	}
	results := trials.Run(ctx, subjects)
	if err := writeJUnit(o.junitPath, view.ProofAsTestFiles(results)); err != nil {
		return err
	}
	if s.json {
		if err := s.printJSON(view.ProofJSON(results)); err != nil {
			return err
		}
	} else {
		s.textUI().Proof(results)
	}
	if prove.AnyBrokenOrUnknown(results) || ctx.Err() != nil {
		return exitCode(1)
	}
	return nil
}

// A prover brings declared resources together with what is live.
type prover struct {
	*session
	*proveOptions
	plan           *plan.Plan
	secretsByKeyID map[string]deliveredKey // by key ID
}

func (v *prover) trialOptions() *prove.Options {
	o := &prove.Options{Admin: v.client, Account: v.snapshot.Account, NonNativeTransport: http.DefaultTransport, Now: v.b2Time,
		Sleep: v.sleep, Explain: explainInOneLine, FileNameSuffix: "b2form-prove-" + strings.ToLower(rand.Text()[:10]),
		ReadOnly: !v.allowWrites, ParallelSubjects: max(1, min(4, v.parallelism))}
	if v.localB2 != nil {
		o.NonNativeTransport = v.localB2
	}
	return o
}

// explainInOneLine is what is wrong in one line.
func explainInOneLine(err error) string {
	if e, ok := err.(*wire.Error); ok {
		if e.Status != 0 && strings.HasPrefix(e.Method, "S3 ") {
			return fmt.Sprintf("The S3 API answers %s with status %d (%s, %q).", e.Method, e.Status, e.Code, e.Message)
		}
		err = withoutOutcomeUnknown(e)
	}
	var texts []string
	for _, d := range explainAsDiagnostics(err) {
		texts = append(texts, strings.TrimSuffix(d.Summary+". "+d.Detail, ". "))
	}
	return strings.Join(texts, " ")
}

// subjects are what the addresses name, in the order of the configuration.
func (v *prover) subjects() (out []prove.Subject, err error) {
	used := map[string]bool{}
	for _, a := range v.addrs {
		if !slices.ContainsFunc(v.config.Resources, func(r *config.Resource) bool { return a.Covers(r.Addr) && v.isKeyOrBucket(r) }) {
			var known []addr.Addr
			for _, r := range v.config.Resources {
				if v.isKeyOrBucket(r) {
					known = append(known, r.Addr)
				}
			}
			return nil, failf("Nothing to prove", "The configuration declares no key and no bucket at %s.%s", a,
				plan.AddressAdvice(a, known))
		}
	}
	for _, r := range v.config.Resources {
		covers := func(a addr.Addr) bool { return a.Covers(r.Addr) }
		if !v.isKeyOrBucket(r) || len(v.addrs) > 0 && !slices.ContainsFunc(v.addrs, covers) {
			continue
		}
		s, id, err := v.subject(r)
		if err != nil {
			return nil, err
		}
		used[id] = true
		out = append(out, s)
	}
	for id, f := range v.secretsByKeyID {
		if !used[id] {
			return nil, failf("Secret of another key", "%s holds the key %s, which is none of those to prove.", f.path, id)
		}
	}
	if len(out) == 0 {
		return nil, failf("Nothing to prove", "The configuration declares no key and no bucket.")
	}
	return out, nil
}

func (v *prover) isKeyOrBucket(r *config.Resource) bool {
	return r.Kind.YieldsSecret() || r.Kind.Name == bucketKind
}

// bucketKind is what keys are limited to.
const bucketKind = "bucket"

// subject is one resource with what is live under its address.
func (v *prover) subject(r *config.Resource) (s prove.Subject, recordedID string, err error) {
	s.ResourceAddr = r.Addr.String()
	for i := range v.plan.Changes {
		if c := &v.plan.Changes[i]; c.Addr == r.Addr && c.Action != plan.NoOp {
			s.DifferenceText = fmt.Sprintf("b2form apply has changes for it (%s). Run that first.", c.Action)
		}
	}
	moved := v.config.MovedAddrs(v.state.Entries)
	i := slices.IndexFunc(v.state.Entries, func(e addr.StateEntry) bool { return cmp.Or(moved[e.Addr], e.Addr) == r.Addr })
	if i < 0 {
		s.DifferenceText = cmp.Or(s.DifferenceText, "The state does not have it under this address yet. Run b2form apply first.")
		return s, "", nil
	}
	recordedID = v.state.Entries[i].ID
	o := v.snapshot.ByID(r.Kind, recordedID)
	switch {
	case o == nil:
	case r.Kind.YieldsSecret():
		s.Key, err = v.key(r, o)
	default:
		s.Bucket, err = v.bucket(o)
	}
	return s, recordedID, err
}

// bucket reads a live bucket.
func (v *prover) bucket(o *kind.Object) (*prove.Bucket, error) {
	live, err := o.Value()
	if err != nil {
		return nil, err
	}
	b := &prove.Bucket{ID: o.ID, Name: o.Identity, Public: equalsText(live.GetAttr("type"), "allPublic"),
		HasObjectLock: isTrue(live.GetAttr("file_lock_enabled")), HasS3: slices.Contains(stringElements(live.GetAttr("options")), "s3")}
	switch replication := live.GetAttr("replication"); {
	case !isNullOrUnknown(live.GetAttr("default_retention")):
		b.NoUploadReason = "its default retention would keep an upload"
	case !isNullOrUnknown(replication) && !isNullOrUnknown(replication.GetAttr("source")):
		b.NoUploadReason = "its replication would copy an upload"
	}
	if rules := live.GetAttr("cors_rules"); !isNullOrUnknown(rules) {
		for it := rules.ElementIterator(); it.Next(); {
			_, rule := it.Element()
			b.CORS = append(b.CORS, prove.CORSRule{Origins: stringElements(rule.GetAttr("allowed_origins")),
				Operations: stringElements(rule.GetAttr("allowed_operations")), Headers: stringElements(rule.GetAttr("allowed_headers"))})
		}
	}
	return b, nil
}

// key reads a live key, with the means to act as it.
func (v *prover) key(r *config.Resource, o *kind.Object) (*prove.Key, error) {
	live, err := o.Value()
	if err != nil {
		return nil, err
	}
	limits, prefix := r.Kind.Credential.Reach(live)
	k := &prove.Key{Capabilities: stringElements(live.GetAttr("capabilities")), NamePrefix: wire.UnescapeText(prefix),
		HasS3:          slices.Contains(stringElements(live.GetAttr("options")), "s3"),
		DifferingAttrs: v.differingAttrsFunc(r.Kind, live)}
	if err := v.chooseTrialBuckets(k, limits); err != nil {
		return nil, err
	}
	secretOf, given := v.secretsByKeyID[o.ID]
	switch {
	case given:
		k.Open = func(context.Context) (*prove.Access, error) { return v.newAccess(o.ID, secretOf.secret, nil) }
	case !v.allowWrites:
		k.NoAccessReason = "its secret is not known, and no copy is to be made; give -secrets-from"
	case !v.snapshot.Account.HasCapability(r.Kind.WriteCapability):
		k.NoAccessReason = "its secret is not known, and the credentials in use lack " + r.Kind.WriteCapability +
			" for a copy; give -secrets-from"
	default:
		k.Open = func(ctx context.Context) (*prove.Access, error) { return v.createKeyCopy(ctx, r.Kind, live) }
	}
	return k, nil
}

// differingAttrsFunc compares a key with what B2 says of it or of its copy, which ends.
func (v *prover) differingAttrsFunc(k *kind.Kind, live cty.Value) func(*wire.Account) []string {
	return func(a *wire.Account) []string {
		return slices.DeleteFunc(k.Credential.DiffGrant(live, a), func(attr string) bool { return attr == "valid_duration" })
	}
}

// trialSuitability is how much can be tried in a bucket: where uploads are not kept, and nobody may download
// without a key.
func trialSuitability(b *prove.Bucket) int {
	n := 0
	if b.NoUploadReason == "" {
		n += 2
	}
	if !b.Public {
		n++
	}
	return n
}

// chooseTrialBuckets finds a bucket that the key reaches and one that it does not, of each the most suitable. A key that
// reaches every bucket works in one that the state has.
func (v *prover) chooseTrialBuckets(k *prove.Key, allowedBucketNames []string) error {
	for _, o := range v.snapshot.AllRead(kind.FindKind(v.kinds, bucketKind)) {
		b, err := v.bucket(o)
		if err != nil {
			return err
		}
		declared := slices.ContainsFunc(v.state.Entries, func(e addr.StateEntry) bool { return e.Addr.Kind == bucketKind && e.ID == b.ID })
		place := &k.SampleForbiddenBucket
		switch {
		case slices.ContainsFunc(allowedBucketNames, func(name string) bool { return strings.EqualFold(name, b.Name) }):
			place = &k.SampleAllowedBucket
		case !declared && len(allowedBucketNames) == 0:
			continue
		case len(allowedBucketNames) == 0:
			place = &k.SampleAllowedBucket
		case !declared:
			b.NoUploadReason = "nothing is uploaded to a bucket that this configuration does not own"
		}
		if *place == nil || trialSuitability(b) > trialSuitability(*place) {
			*place = b
		}
	}
	return nil
}
