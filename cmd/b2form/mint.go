package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
	"github.com/zclconf/go-cty/cty"

	"b2form/apply"
	"b2form/internal/account"
	"b2form/internal/secret"
	"b2form/internal/words"
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
deleted when the command ends. If b2form is killed before, the key expires by
itself after -ttl. Nothing is written to a disk. The command finds the key under
the names that b2, AWS SDKs, rclone (as the remote b2:) and restic read, and none
of the credentials of b2form.

Example:
  b2form mint -bucket=acme-site -- rclone ls b2:acme-site
  b2form mint -ttl=15m -access=read_write \
    -bucket=acme-backup -- restic backup /home

Exit codes:
  1  an error
  otherwise that of the command`,
		Flags: slices.Concat(p.accountFlags(), []cli.Flag{
			durationFlag("ttl", "let the key expire after `DURATION` (default: 1h)", &o.ttl),
			&cli.GenericFlag{Name: "bucket", Usage: "limit the key to the bucket `NAME`; repeatable",
				Value: funcFlag{func(s string) error { o.buckets = append(o.buckets, s); return nil }}},
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
			return p.mint(ctx, o, c.Args().Slice())
		},
	})
}

func (p *program) mint(ctx context.Context, o *mintOptions, command []string) (err error) {
	switch {
	case p.useEmulator:
		return failf("The emulator in a folder has no port",
			"The command could not reach it. Use b2form emulator -- b2form mint … instead.")
	case len(o.buckets) == 0 && !o.allBuckets:
		return failf("Bucket missing", "Name what the key may reach: -bucket=NAME, or -all-buckets.")
	case len(o.buckets) > 0 && o.allBuckets:
		return failf("Two answers to one question", "Give either -bucket or -all-buckets.")
	}
	signals := p.interruptSignals()
	s, err := p.openAccount(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	made, err := s.mintKey(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.endKey(made)) }()
	select {
	case <-signals:
		return failf("Interrupted", "The command was not started.")
	default:
	}
	return p.runWithEmulator(command, mintEnvironment(p.environ(), made, s.snapshot.Account), signals)
}

// A mintedKey is a key that ends with the command.
type mintedKey struct {
	object  *kind.Object
	secret  secret.Value
	expires time.Time
}

// mintKey makes the key, as a block with these attributes would.
func (s *session) mintKey(ctx context.Context, o *mintOptions) (*mintedKey, error) {
	a, err := s.client.Authorize(ctx)
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
	if !a.HasCapability(k.WriteCapability) {
		return nil, failf("No key can be made", "The credentials in use lack %s. Use a key that has it.", k.WriteCapability)
	}
	if s.snapshot, err = account.ReadSnapshot(ctx, s.client, a, s.kinds, query); err != nil {
		return nil, err
	}
	want, err := o.wanted(k)
	if err != nil {
		return nil, err
	}
	return s.createKey(ctx, k, want, o.ttl)
}

// createKey makes a key of the attributes, which lives so long.
func (s *session) createKey(ctx context.Context, k *kind.Kind, want kind.Values, ttl time.Duration) (*mintedKey, error) {
	var settable []string
	for _, at := range k.Settable() {
		settable = append(settable, at.Name)
	}
	body, err := k.Encode(want.Object(), settable, true, s.bucketID)
	if err != nil {
		return nil, err
	}
	raw, err := k.Create(ctx, kind.VerbInput{API: s.client, Body: body})
	if err != nil {
		return nil, err
	}
	object, value, lacks := apply.SplitSecret(s.snapshot, k, raw)
	if object == nil || object.Identity != want.GetAttr(k.IdentityAttr).AsString() { // nothing shows that it is ours to delete
		return nil, wire.MisshapenReply("b2_create_key")
	}
	m := &mintedKey{object: object, secret: value, expires: s.b2Time().Add(ttl)}
	if lacks != nil {
		return nil, errors.Join(wire.MisshapenReply("b2_create_key"), s.endKey(m))
	}
	return m, nil
}

// bucketID is the remote ID of a bucket that the key is to be limited to.
func (s *session) bucketID(a *kind.Attr, name string) (string, error) {
	k := s.kindNamed(a.Link.RefKind)
	if ids := s.snapshot.IDsOf(k, k.NormalizeIdentity(name)); len(ids) == 1 {
		return ids[0], nil
	}
	return "", failf("There is no such bucket", "These credentials see no bucket %q. Correct -bucket.", name)
}

// wanted is the key as a block would declare it.
func (o *mintOptions) wanted(k *kind.Kind) (kind.Values, error) {
	v := k.NewValues()
	for i := range k.Attrs {
		if a := &k.Attrs[i]; !a.Computed {
			null := cty.NullVal(a.ValueType())
			v.SetAt(i, &null)
		}
	}
	set := func(name string, value cty.Value) { v.Set(name, &value) }
	set("name", cty.StringVal(mintedName()))
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
			return done, failf("The key cannot be made", "%s", p.Detail)
		}
	}
	return done, nil
}

// mintedName is a name that no other key has.
func mintedName() string { return "b2form-mint-" + strings.ToLower(rand.Text()[:10]) }

// endKey deletes the key, also after an interrupt.
func (s *session) endKey(m *mintedKey) error {
	live, err := m.object.JSONMembers()
	if err == nil {
		err = m.object.Kind.Delete(context.Background(), kind.VerbInput{API: s.client, ID: m.object.ID, Live: live})
	}
	if err == nil {
		return nil
	}
	return errors.Join(err, failf("The key was not deleted", "The key %s still works; it expires by itself at %s. Delete it in the web "+
		"console if that is too late.", m.object.ID, words.ReadableTime(m.expires)))
}

// mintEnvironment is the environment with the key under the names that programs read, and
// without what would go before it there.
func mintEnvironment(environ []string, m *mintedKey, a *wire.Account) []string {
	others := append(secret.OwnCredentialVars(), "B2_ENVIRONMENT", "B2_ACCOUNT_INFO", "AWS_PROFILE", "AWS_SESSION_TOKEN",
		"AWS_SECURITY_TOKEN")
	env := slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
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
