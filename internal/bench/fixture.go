package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/sync/errgroup"

	"b2form/internal/b2"
	"b2form/internal/state"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// A configStyle is a way to write the same buckets and keys.
type configStyle string

const (
	repeated   configStyle = "for_each"   // two blocks with for_each
	fromFile   configStyle = "jsondecode" // two blocks with for_each over a JSON file
	writtenOut configStyle = "blocks"     // one block for each bucket and key
)

// A fixture is a folder with a configuration and, once live, the account and
// the state that an apply of it would have left behind.
type fixture struct {
	*service
	dir string
}

const stateFile = "b2form.state.json"

// newFixture writes a configuration into a new folder and opens an empty
// account. The caller closes it, which removes the folder.
func newFixture(style configStyle, bucketCount, keyCount int) (*fixture, error) {
	dir, err := os.MkdirTemp("", "b2form-bench-")
	if err != nil {
		return nil, err
	}
	files := map[string]string{"main.b2.hcl": configuration(style, bucketCount, keyCount)}
	if style == fromFile {
		files["keys.json"] = bucketByKeyNameJSON(bucketCount, keyCount)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	s, err := serve(bucketCount + 1) // one may hold the state
	if err != nil {
		return nil, err
	}
	return &fixture{dir: dir, service: s}, nil
}

func (f *fixture) close() error { return errors.Join(f.service.close(), os.RemoveAll(f.dir)) }

// createObjectsAndState makes everything that the configuration declares, without the network,
// and records it in the state.
func (f *fixture) createObjectsAndState(ctx context.Context) error {
	config, diags := f.load()
	if diags.HasErrors() {
		return diags
	}
	client, err := f.client(directTransport{f.service})
	if err != nil {
		return err
	}
	account, err := client.Authorize(ctx)
	if err != nil {
		return err
	}
	entries := make([]addr.StateEntry, len(config.Resources))
	ids := map[string]string{} // of buckets, by name
	for _, k := range schema.Kinds() {
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(8)
		for i, r := range config.Resources {
			if r.Kind.Name != k.Name {
				continue
			}
			g.Go(func() (err error) {
				entries[i], err = create(ctx, client, r, ids)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
		for i, r := range config.Resources {
			if k.Name == "bucket" && r.Kind.Name == k.Name {
				ids[entries[i].Identity] = entries[i].ID
			}
		}
	}
	return f.saveState(ctx, account, entries)
}

// create makes one object and gives what the state records of it.
func create(ctx context.Context, api wire.API, r *config.Resource, bucketIDByName map[string]string) (addr.StateEntry, error) {
	var names []string
	for _, a := range r.Kind.SettableAttrs() {
		names = append(names, a.Name)
	}
	body, err := r.Kind.Encode(r.Value.ObjectWithoutUnset(), names, true, func(_ *kind.Attr, name string) (string, error) {
		return bucketIDByName[name], nil
	})
	if err != nil {
		return addr.StateEntry{}, err
	}
	raw, err := r.Kind.Create(ctx, kind.VerbInput{API: api, Body: body})
	if err != nil {
		return addr.StateEntry{}, err
	}
	o, err := new(kind.Snapshot).NewObject(r.Kind, wire.RawJSON(raw))
	if err != nil {
		return addr.StateEntry{}, err
	}
	return addr.StateEntry{
		Addr: r.Addr, Identity: o.Identity, ID: o.ID, Created: time.Now(),
		Delivered: len(r.Deliveries) > 0, DeliveryDigest: plan.DeliveryDigest(r, nil), DriftDigests: "0123456789abcdefghijklmnopqr",
	}, nil
}

func (f *fixture) saveState(ctx context.Context, a *wire.Account, entries []addr.StateEntry) (err error) {
	s, err := f.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.BindAccount(a.ID, a.Realm); err != nil {
		return err
	}
	return s.PutEntriesCloseIntents(entries...)
}

func (f *fixture) openStore(ctx context.Context) (*state.Store, error) {
	return state.Open(ctx, f.statePath(), state.Options{Now: time.Now, Operation: "benchmark"})
}

func (f *fixture) statePath() string { return filepath.Join(f.dir, stateFile) }

func (f *fixture) load() (*config.Config, hcl.Diagnostics) {
	return schema.Load(schema.Options{Dir: f.dir, Kinds: schema.Kinds()})
}

func (f *fixture) client(transport http.RoundTripper) (*b2.Client, error) {
	return b2.New(b2.Options{KeyID: f.MasterKeyID(), Key: f.MasterKey(), Endpoint: f.url, Transport: transport, Now: time.Now})
}

// configuration declares the buckets data-0000, … and the keys app-000000, …,
// each limited to one bucket and a name prefix, as three real programs have
// them in the examples.
func configuration(style configStyle, bucketCount, keyCount int) string {
	var b strings.Builder
	if style == writtenOut {
		for i := range bucketCount {
			writeBucket(&b, fmt.Sprintf("data-%04d", i), "", fmt.Sprintf("%q", bucketName(i)))
		}
		for i := range keyCount {
			writeKey(&b, fmt.Sprintf("app-%06d", i), "", fmt.Sprintf("%q", keyName(i)), fmt.Sprintf("bucket.data-%04d", i%bucketCount))
		}
		return b.String()
	}
	// range makes at most 1024 numbers.
	fmt.Fprintf(&b, `locals {
  buckets = [for i in range(%d) : format("acme-data-%%04d", i)]
  keys    = merge([for t in range(%d) : {
    for i in range(1000 * t, min(1000 * (t + 1), %d)) : format("app-%%06d", i) => local.buckets[i %% %d]
  }]...)
}

`, bucketCount, (keyCount+999)/1000, keyCount, bucketCount)
	list := "local.keys"
	if style == fromFile {
		list = `jsondecode(file("keys.json"))`
	}
	writeBucket(&b, "data", "toset(local.buckets)", "each.key")
	writeKey(&b, "app", list, "each.key", "bucket.data[each.value]")
	return b.String()
}

func bucketName(i int) string { return fmt.Sprintf("acme-data-%04d", i) }
func keyName(i int) string    { return fmt.Sprintf("app-%06d", i) }

func writeBucket(b *strings.Builder, label, forEach, nameExpr string) {
	fmt.Fprintf(b, "bucket %q {\n", label)
	if forEach != "" {
		fmt.Fprintf(b, "  for_each        = %s\n", forEach)
	}
	fmt.Fprintf(b, "  name            = %s\n  info            = { team = \"web\" }\n  lifecycle_rules = keep_only_last_version()\n}\n\n",
		nameExpr)
}

func writeKey(b *strings.Builder, label, forEach, nameExpr, bucket string) {
	fmt.Fprintf(b, "key %q {\n", label)
	if forEach != "" {
		fmt.Fprintf(b, "  for_each    = %s\n", forEach)
	}
	fmt.Fprintf(b, "  name        = %s\n  access      = \"read_write\"\n  buckets     = [%s]\n  name_prefix = \"library/\"\n", nameExpr,
		bucket)
	path := `"${each.key}.env"`
	if forEach == "" {
		path = fmt.Sprintf("%q", label+".env")
	}
	fmt.Fprintf(b, "\n  deliver \"file\" {\n    path = %s\n  }\n}\n\n", path)
}

// bucketByKeyNameJSON is a JSON object of key names and the buckets they are limited to.
func bucketByKeyNameJSON(bucketCount, keyCount int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range keyCount {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n  %q: %q", keyName(i), bucketName(i%bucketCount))
	}
	b.WriteString("\n}\n")
	return b.String()
}
