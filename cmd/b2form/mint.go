package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
	"github.com/zclconf/go-cty/cty"

	"b2form/apply"
	"b2form/internal/account"
	"b2form/internal/b2"
	"b2form/internal/secret"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// mintOptions are the flags of mint.
type mintOptions struct {
	ttl        time.Duration
	buckets    []string
	allBuckets bool
	access     string
	prefix     string
}

func (p *program) mintCommand() *cli.Command {
	o := &mintOptions{ttl: time.Hour}
	return p.newCommand(&cli.Command{
		Name: "mint", Usage: "Run a command with a key that lives no longer", ArgsUsage: "-- COMMAND ...",
		Description: `A new application key is made, is in the environment of the command, and is
deleted when the command ends. A signal that asks b2form to end goes to the
command. If b2form is killed before, the key expires by itself after -ttl. Nothing is written to a disk. The command finds the key under
the names that b2, AWS SDKs, rclone (as the remote b2:) and restic read, and none
of the credentials of b2form.

Example:
  b2form mint -bucket=acme-site -- rclone ls b2:acme-site
  b2form mint -ttl=15m -access=read_write \
    -bucket=acme-backup -- restic backup /home

Exit codes:
  1  an error
  otherwise that of the command; 128+N: the signal N ended it`,
		Flags: slices.Concat(p.accountFlags(), []cli.Flag{
			durationFlag("ttl", "let the key expire after `DURATION` (default: 1h)", &o.ttl),
			listFlag("bucket", "limit the key to the bucket `NAME`; repeatable", &o.buckets),
			&cli.BoolFlag{Name: "all-buckets", Usage: "let the key reach every bucket", Destination: &o.allBuckets},
			&cli.StringFlag{Name: "access", Value: "read_only", Destination: &o.access,
				Usage: "what the key may do, as `ACCESS` of a key block: read_only, read_write, write_only, restic, …"},
			&cli.StringFlag{Name: "prefix", Usage: "limit the key to files whose names start with `PREFIX`", Destination: &o.prefix},
		}),
		Action: func(ctx context.Context, c *cli.Command) error {
			if !c.Args().Present() {
				return failf("Command missing", "Write the command behind two dashes, as in b2form mint -bucket=acme-photos -- rclone ls "+
					"b2:acme-photos.")
			}
			return p.runWithMintedKey(ctx, o, c.Args().Slice())
		},
	})
}

func (p *program) runWithMintedKey(ctx context.Context, o *mintOptions, command []string) (err error) {
	switch {
	case p.useEmulator:
		return failf("The emulator in a folder has no port",
			"The command could not reach it. Use b2form emulator -- b2form mint … instead.")
	case len(o.buckets) == 0 && !o.allBuckets:
		return failf("Bucket missing", "Name what the key may reach: -bucket=NAME, or -all-buckets.")
	case len(o.buckets) > 0 && o.allBuckets:
		return failf("Two answers to one question", "Give either -bucket or -all-buckets.")
	}
	signals, stopSignals := p.interruptSignals()
	defer stopSignals(false)
	p.allowNoConfig = true
	s := &session{program: p, kinds: schema.Kinds()}
	if err := s.loadConfigAllowingUnset(nil); err != nil { // it may say which account it is for
		return err
	}
	if err := s.prepareClientOrEmulator(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stopLocalB2()) }()
	made, interrupted, err := s.mintKeyUntilSignal(ctx, o, signals)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.deleteMintedKey(made)) }()
	select {
	case <-signals:
		interrupted = true
	default:
	}
	if interrupted {
		return failf("Interrupted", "The command was not started.")
	}
	return p.runForwardingSignals(command, mintEnvironment(s.environWithoutStateToken(), made, s.snapshot.Account), signals)
}

// A mintedKey is a key that ends with the command.
type mintedKey struct {
	object  *kind.Object
	secret  secret.Value
	expires time.Time
	listed  bool // B2 listed it
}

// mintKeyUntilSignal makes the key. The first signal ends what waits for B2 to list it, and no request.
func (s *session) mintKeyUntilSignal(ctx context.Context, o *mintOptions, signals <-chan os.Signal) (m *mintedKey, interrupted bool,
	err error) {
	until, stop := context.WithCancel(ctx)
	defer stop()
	s.untilInterrupt = until
	done, came := make(chan struct{}), make(chan bool)
	go func() {
		select {
		case <-signals:
			stop()
			came <- true
		case <-done:
			came <- false
		}
	}()
	m, err = s.mintKey(ctx, o)
	close(done)
	return m, <-came, err
}

// mintKey makes the key, as a block with these attributes would.
func (s *session) mintKey(ctx context.Context, o *mintOptions) (*mintedKey, error) {
	a, err := s.authorize(ctx)
	if err != nil {
		return nil, err
	}
	query := account.Query{}
	var k *kind.Kind
	for _, each := range s.kinds {
		if each.YieldsSecret() {
			k = each
		} else if each.ParentKind() == "" && len(o.buckets) > 0 {
			query[each.Name] = account.KindQuery{}
		}
	}
	need := append([]string{k.WriteCapability, k.DeleteCapability}, k.ReadCapabilities...)
	if lacking := missingCapabilities(a, need...); len(lacking) > 0 {
		return nil, failf("No key can be made that ends with the command", "The credentials in use lack %s. Use a key that may make keys, "+
			"list them and delete them.", words.JoinAnd(lacking))
	}
	if s.snapshot, err = account.ReadSnapshot(ctx, s.client, a, s.kinds, query, account.RecentEntries{}); err != nil {
		return nil, err
	}
	s.clockAhead = s.client.ProvenServiceClockAhead()
	want, err := o.wantedKeyValues(k)
	if err != nil {
		return nil, err
	}
	return s.createKey(ctx, k, want, o.ttl)
}

// createKey makes a key of the attributes, which lives so long.
func (s *session) createKey(ctx context.Context, k *kind.Kind, want kind.Values, ttl time.Duration) (*mintedKey, error) {
	var settable []string
	for _, at := range k.SettableAttrs() {
		settable = append(settable, at.Name)
	}
	body, err := k.Encode(want.ObjectWithoutUnset(), settable, true, s.bucketID)
	if err != nil {
		return nil, err
	}
	name := want.GetAttr(k.IdentityAttr).AsString()
	raw, err := s.createUnlessListed(ctx, k, body, name)
	if refused, ok := errors.AsType[*wire.Error](err); ok && !refused.OutcomeUnknown {
		return nil, err
	}
	m := &mintedKey{expires: s.b2Time().Add(ttl)}
	if err == nil {
		m.object, m.secret, err = s.parseAndCheckMintReply(k, want, raw, m.expires)
	}
	if err == nil {
		err = s.awaitProven(ctx, m, want)
	}
	if err != nil {
		return nil, s.undoCreateAndExplain(k, name, m.expires, err)
	}
	return m, nil
}

// createUnlessListed makes a key, again where B2 did not say what became of it and lists none of the name, until the program is
// interrupted. One that is listed after such an attempt is left to whoever deals with the error: its secret is lost.
func (s *session) createUnlessListed(ctx context.Context, k *kind.Kind, body map[string]any, name string) (reply json.RawMessage,
	err error) {
	interrupted := cmp.Or(s.untilInterrupt, ctx)
	for range maxMintAttempts {
		reply, err = k.Create(ctx, kind.VerbInput{API: s.client, Body: body})
		if lost, ok := errors.AsType[*wire.Error](err); !ok || !lost.OutcomeUnknown {
			return reply, err
		}
		if found, lookErr := s.awaitKeysByName(interrupted, k, name); lookErr != nil || len(found) > 0 || interrupted.Err() != nil {
			break
		}
	}
	return reply, err
}

// awaitProven demands that the ID in the reply is the new key's: it may be another key's, and what it names is deleted
// in the end. Either B2 lists it under its name, which nothing else has, or B2 accepts it with the secret of the same reply,
// for what is wanted.
func (s *session) awaitProven(ctx context.Context, m *mintedKey, want kind.Values) error {
	o := m.object
	client, err := s.client.WithCredentials(o.ID, m.secret.Reveal())
	if err != nil {
		return err
	}
	for i, delays := 0, apply.NewKeyDelays(); ; i++ {
		found, err := s.listKeys(ctx, o.Kind, func(k *kind.Object) bool { return k.Identity == o.Identity || k.ID == o.ID })
		switch {
		case err != nil:
			return err
		case len(found) == 1 && found[0].ID == o.ID && found[0].Identity == o.Identity:
			m.listed = true
			return nil
		case len(found) > 0:
			return &wire.ExplainedError{Summary: "B2 answered with another key", Detail: fmt.Sprintf("It does not list the key %s under "+
				"the ID %.100q of its reply, so the key is not used.", o.Identity, o.ID)}
		}
		if account, err := client.Authorize(ctx); err == nil && len(o.Kind.Credential.DiffGrant(want.ObjectWithoutUnset(), account)) == 0 {
			return nil
		}
		if i == 0 {
			s.ui.Note("Waiting until B2 lists the new key " + o.Identity + ", which can take some minutes.\n")
		}
		if i == len(delays) || s.sleep(cmp.Or(s.untilInterrupt, ctx), delays[i]) != nil {
			return &wire.ExplainedError{Summary: "The new key is not listed yet", Detail: fmt.Sprintf("B2 answered with the ID %.100q for "+
				"the key %s, and neither lists nor accepts it yet. So nobody knows for certain whose ID that is, and the key is not used.",
				o.ID, o.Identity)}
		}
	}
}

// parseAndCheckMintReply reads the reply to the creation of a key, which must be the one that was wanted.
// Beside an error there may be a key, which is of no use.
func (s *session) parseAndCheckMintReply(k *kind.Kind, want kind.Values, reply json.RawMessage, expires time.Time) (*kind.Object,
	secret.Value,
	error) {
	object, value, err := apply.SplitSecret(s.snapshot, k, reply)
	if object == nil || object.Identity != want.GetAttr(k.IdentityAttr).AsString() {
		return nil, value, wire.MisshapenReply("b2_create_key")
	}
	live, liveErr := object.Values()
	if err != nil || liveErr != nil {
		return object, value, wire.MisshapenReply("b2_create_key")
	}
	differ, _ := plan.Diff(k, want.ObjectWithoutUnset(), live.ObjectWithoutUnset(), nil, nil)
	if k.ExpiryOf(live).After(expires.Add(clockTolerance)) {
		differ = append(differ, k.Credential.ExpiryAttr)
	}
	if len(differ) > 0 {
		return object, value, &wire.ExplainedError{Summary: "B2 made another key than was asked for",
			Detail: "Its reply differs in " + strings.Join(differ, ", ") + ", so the key is not used."}
	}
	return object, value, nil
}

const (
	clockTolerance = 10 * time.Minute // covers the difference between B2's clock and ours
	cleanupTimeout = 2 * time.Minute  // how long looking for a key, or deleting it, may take

	maxMintAttempts = 3 // of one key; each is followed by looks for it
)

// undoCreateAndExplain deletes what a create has made that is of no use, and says what became of it. It
// goes by the name, which nothing else has: the ID in the reply may be missing or wrong.
func (s *session) undoCreateAndExplain(k *kind.Kind, name string, expires time.Time, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	found, err := s.awaitKeysByName(ctx, k, name)
	for _, o := range found {
		err = errors.Join(err, s.deleteKey(ctx, o))
	}
	summary, detail := b2.Explain(withoutOutcomeUnknown(cause))
	if err == nil && len(found) > 0 {
		return failf(summary, "%s The key %s was deleted again.", detail, name)
	}
	what := "B2 does not list it"
	if err != nil {
		what = "looking for it or deleting it failed"
	}
	return errors.Join(failf(summary, "%s The key %s may have been made, and may work until %s, when it expires by itself: %s. Delete it "+
		"in the web console if that is too late.", detail, name, words.ReadableTime(expires), what), withoutOutcomeUnknown(err))
}

// awaitKeysByName reads the keys that carry the name, with pauses as long as there are none: listings
// may lag behind.
func (s *session) awaitKeysByName(ctx context.Context, k *kind.Kind, name string) (found []*kind.Object, err error) {
	found, err = s.listKeysByName(ctx, k, name)
	for _, wait := range wire.ListingDelays() {
		if err != nil || len(found) > 0 || s.sleep(ctx, wait) != nil {
			break
		}
		found, err = s.listKeysByName(ctx, k, name)
	}
	return found, err
}

// listKeysByName reads the keys that carry the name now.
func (s *session) listKeysByName(ctx context.Context, k *kind.Kind, name string) ([]*kind.Object, error) {
	return s.listKeys(ctx, k, func(o *kind.Object) bool { return o.Identity == name })
}

// listKeys reads those keys now that are wanted.
func (s *session) listKeys(ctx context.Context, k *kind.Kind, wanted func(*kind.Object) bool) (found []*kind.Object, err error) {
	list, err := k.List(ctx, s.client, kind.ListFilter{Account: s.snapshot.Account, IncludeMultiBucketKeys: true})
	for _, raw := range list {
		if o, err := s.snapshot.NewObject(k, raw); err == nil && wanted(o) {
			found = append(found, o)
		}
	}
	return found, err
}

func (s *session) deleteKey(ctx context.Context, o *kind.Object) error {
	live, err := o.JSONMembers()
	if err != nil {
		return err
	}
	return o.Kind.Delete(ctx, kind.VerbInput{API: s.client, ID: o.ID, Live: live, Sleep: s.sleep})
}

// withoutOutcomeUnknown is an error of B2 that does not promise what only a run with a state does.
func withoutOutcomeUnknown(err error) error {
	refused, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return err
	}
	settled := *refused
	settled.OutcomeUnknown = false
	return &settled
}

// bucketID is the remote ID of a bucket that the key is to be limited to.
func (s *session) bucketID(a *kind.Attr, name string) (string, error) {
	k := kind.FindKind(s.kinds, a.Link.RefKind)
	if ids := s.snapshot.IDsOf(k, k.NormalizeIdentity(name)); len(ids) == 1 {
		return ids[0], nil
	}
	return "", s.bucketNotSeenError(k, name, "-bucket")
}

// bucketNotSeenError is about a bucket that an option names and the credentials do not see: none
// has the name, or they may not look.
func (s *session) bucketNotSeenError(k *kind.Kind, name, option string) error {
	if lacking := missingCapabilities(s.snapshot.Account, k.ReadCapabilities...); len(lacking) > 0 {
		return failf("The bucket cannot be looked for", "The credentials in use lack %s, so they see no bucket, also not %q. Use others.",
			words.JoinAnd(lacking), name)
	}
	return failf("There is no such bucket", "These credentials see no bucket %q. Correct %s.", name, option)
}

// wantedKeyValues is the key as a block would declare it.
func (o *mintOptions) wantedKeyValues(k *kind.Kind) (kind.Values, error) {
	v := k.NewNullValues()
	set := func(name string, value cty.Value) { v.Set(name, &value) }
	set("name", cty.StringVal(newKeyName()))
	set("access", cty.StringVal(o.access))
	set("valid_duration", cty.StringVal(fmt.Sprint(int64(o.ttl/time.Second))))
	if len(o.buckets) > 0 {
		set("buckets", cty.ListVal(kind.StringValues(o.buckets...)))
	}
	if o.prefix != "" {
		set("name_prefix", cty.StringVal(o.prefix))
	}
	done, problems := k.NewCompleter().CompleteAndCheck(v, false)
	for _, p := range problems {
		if !p.Warning {
			return done, o.optionError(k, &p)
		}
	}
	return done, nil
}

// optionError says what is wrong with an attribute in the words of the option that it comes from.
func (o *mintOptions) optionError(k *kind.Kind, p *kind.Problem) error {
	switch p.Attr() {
	case "access":
		var names []string
		for _, v := range k.FindAttr("access").Samples {
			names = append(names, v.AsString())
		}
		return failf("Invalid option -access", "There is no access %q.%s Give -access one of %s.", o.access,
			words.DidYouMean(o.access, "", names), strings.Join(names, ", "))
	case "valid_duration":
		return failf("Invalid option -ttl", "A key lives for at least 1 second and less than 1000 days. Give -ttl such a duration, as "+
			"-ttl=90d.")
	}
	return failf("The key cannot be made", "%s", p.Detail)
}

// newKeyName is a name that no other key has.
func newKeyName() string { return "b2form-mint-" + strings.ToLower(rand.Text()[:10]) }

// deleteMintedKey deletes the key, also after an interrupt.
func (s *session) deleteMintedKey(m *mintedKey) error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	err := s.deleteKey(ctx, m.object)
	if err == nil {
		return nil
	}
	if refused, ok := errors.AsType[*wire.Error](err); ok && refused.OutcomeUnknown && m.listed {
		looking, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
		defer cancel()
		if found, err := s.listKeysByName(looking, m.object.Kind, m.object.Identity); err == nil && len(found) == 0 {
			return nil
		}
	}
	return errors.Join(withoutOutcomeUnknown(err), failf("The key was not deleted", "The key %s (ID %.100q) may still work; it expires by "+
		"itself at %s. Delete it in the web console if that is too late.", m.object.Identity, m.object.ID, words.ReadableTime(m.expires)))
}

// mintEnvironment is the environment with the key under the names that programs read, and
// without what would go before it there.
func mintEnvironment(environ []string, m *mintedKey, a *wire.Account) []string {
	others := []string{"B2_ENVIRONMENT", "B2_ACCOUNT_INFO", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"}
	env := slices.DeleteFunc(secret.WithoutOwnSecrets(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(others, name)
	})
	id, key := m.object.ID, m.secret.Reveal()
	return append(env,
		"B2_APPLICATION_KEY_ID="+id, "B2_APPLICATION_KEY="+key, "B2_ENDPOINT="+a.Realm,
		"AWS_ACCESS_KEY_ID="+id, "AWS_SECRET_ACCESS_KEY="+key, "AWS_ENDPOINT_URL="+a.S3URL, "AWS_REGION="+a.S3Region(),
		"RCLONE_CONFIG_B2_TYPE=b2", "RCLONE_CONFIG_B2_ACCOUNT="+id, "RCLONE_CONFIG_B2_KEY="+key, "RCLONE_CONFIG_B2_ENDPOINT="+a.Realm,
		"B2_ACCOUNT_ID="+id, "B2_ACCOUNT_KEY="+key,
	)
}
