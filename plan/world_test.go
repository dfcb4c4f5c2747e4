package plan_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/bucket"
	"b2form/schema/config"
	"b2form/schema/key"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// A world is a configuration, an account and a state that are built by a test.
type world struct {
	t       failer
	kinds   []*kind.Kind
	bucket  *kind.Kind
	key     *kind.Kind
	config  config.Config
	account wire.Account
	raw     map[string][]wire.RawJSON
	entries []addr.StateEntry
	open    []plan.AnnouncedCreate
}

// noon is when all is planned.
var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// A failer is a *testing.T, a *testing.B or a *rapid.T.
type failer interface {
	Helper()
	Fatal(args ...any)
}

func newWorld(t failer) *world {
	w := &world{
		t: t, bucket: bucket.Kind(), key: key.Kind(),
		account: wire.Account{
			ID: "d2e6b27577ea", KeyID: "d2e6b27577ea", Realm: "https://api.backblazeb2.com",
			S3URL: "https://s3.us-west-004.backblazeb2.com", DownloadURL: "https://f004.backblazeb2.com",
			Capabilities: []string{"all"},
		},
		raw: map[string][]wire.RawJSON{"bucket": nil, "key": nil},
	}
	w.kinds = []*kind.Kind{w.bucket, w.key}
	return w
}

// completed is what the loader makes of the attributes of an object.
func completed(k *kind.Kind, attrs map[string]cty.Value) cty.Value {
	v, _ := k.NewCompleter().CompleteAndCheck(k.ValuesOf(cty.ObjectVal(attrs)), false)
	return v.ObjectWithoutUnset()
}

// declare adds a resource with the given attributes.
func (w *world) declare(k *kind.Kind, label string, set map[string]cty.Value) *config.Resource {
	values := map[string]cty.Value{}
	for _, a := range k.SettableAttrs() {
		values[a.Name] = cty.NullVal(a.ValueType())
	}
	for name, v := range set {
		values[name] = v
	}
	r := w.resource(k, label, completed(k, values))
	w.config.Resources = append(w.config.Resources, r)
	return r
}

func (w *world) resource(k *kind.Kind, label string, v cty.Value) *config.Resource {
	return &config.Resource{
		Addr:  addr.Addr{Kind: k.Name, Label: label},
		Kind:  k,
		Value: k.ValuesOf(v),
		Block: &config.BlockRanges{HeaderRange: hcl.Range{Filename: "main.b2.hcl"}},
	}
}

// live makes the account hold what the resource declares.
func (w *world) live(r *config.Resource, id string) {
	var names []string
	for _, a := range r.Kind.SettableAttrs() {
		names = append(names, a.Name)
	}
	m, err := r.Kind.Encode(r.Value.ObjectWithoutUnset(), names, true, func(by *kind.Attr, name string) (string, error) {
		if by.Link.IsRemoteID != nil && by.Link.IsRemoteID(name) {
			return name, nil
		}
		return "id-" + name, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	m[r.Kind.FindAttr(r.Kind.IDAttr).WirePath] = id
	if _, ok := r.Kind.RotationOf(r.Value); ok {
		m[r.Kind.FindAttr(r.Kind.IdentityAttr).WirePath] = kind.TimestampedName(r.Identity(), noon)
	}
	if r.Kind == w.bucket {
		m["revision"] = 2
		m["fileLockConfiguration"] = map[string]any{"isClientAuthorizedToRead": true, "value": map[string]any{
			"isFileLockEnabled": m["fileLockEnabled"] == true, "defaultRetention": m["defaultRetention"]}}
	}
	raw, err := json.Marshal(m)
	if err != nil {
		w.t.Fatal(err)
	}
	w.raw[r.Kind.Name] = append(w.raw[r.Kind.Name], wire.RawJSON(raw))
}

// own records the resource in the state.
func (w *world) own(r *config.Resource, id string) {
	w.entries = append(w.entries, addr.StateEntry{
		Addr: r.Addr, Identity: r.Identity(), ID: id, Delivered: true, DeliveryDigest: plan.DeliveryDigest(r, nil),
	})
}

func (w *world) request() plan.Request {
	s, err := kind.NewSnapshot(&w.account, w.kinds, w.raw)
	if err != nil {
		w.t.Fatal(err)
	}
	return plan.Request{Config: &w.config, Kinds: w.kinds, Snapshot: s, Entries: w.entries, Announced: w.open, Now: noon}
}

func (w *world) plan() *plan.Plan {
	w.t.Helper()
	p, diags := plan.Make(w.request())
	if diags.HasErrors() {
		w.t.Fatal(diags)
	}
	return p
}

// keys declares n keys, all live and owned, limited to one bucket.
func (w *world) keys(n int) {
	b := w.declare(w.bucket, "photos", map[string]cty.Value{"name": cty.StringVal("acme-photos")})
	w.live(b, "id-acme-photos")
	w.own(b, "id-acme-photos")
	for i := range n {
		r := w.declare(w.key, fmt.Sprintf("k%06d", i), map[string]cty.Value{
			"name":        cty.StringVal(fmt.Sprintf("key-%d", i)),
			"access":      cty.StringVal("read_write"),
			"buckets":     cty.ListVal([]cty.Value{cty.StringVal("acme-photos")}),
			"name_prefix": cty.StringVal("library/"),
		})
		r.Needs = []addr.Addr{b.Addr}
		id := fmt.Sprintf("004d2e6b27577ea%010x", i)
		w.live(r, id)
		w.own(r, id)
	}
}

func BenchmarkNothingToDo(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorld(b)
			w.keys(n)
			r := w.request()
			b.ReportAllocs()
			for b.Loop() {
				p, diags := plan.Make(r)
				if diags.HasErrors() || !p.HasNoResourceChanges() {
					b.Fatal("something to do", diags)
				}
			}
		})
	}
}

// BenchmarkDigests is what an apply does for every object at its end.
func BenchmarkDigests(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorld(b)
			w.keys(n)
			r := w.request()
			b.ReportAllocs()
			for b.Loop() {
				all := plan.DigestRenewal{Salt: "salt", Config: r.Config, Snapshot: r.Snapshot, Entries: r.Entries}
				if got := len(all.RenewedEntries()); got != n+1 {
					b.Fatal(got, "digests")
				}
			}
		})
	}
}

func BenchmarkEverythingToDo(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorld(b)
			w.keys(n)
			w.entries, w.raw = nil, map[string][]wire.RawJSON{"bucket": nil, "key": nil}
			r := w.request()
			b.ReportAllocs()
			for b.Loop() {
				p, diags := plan.Make(r)
				if diags.HasErrors() || len(p.Changes) != n+1 {
					b.Fatal("not everything to do", diags)
				}
			}
		})
	}
}

// BenchmarkSteps is the part of BenchmarkEverythingToDo that works out the steps.
func BenchmarkSteps(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorld(b)
			w.keys(n)
			w.entries, w.raw = nil, map[string][]wire.RawJSON{"bucket": nil, "key": nil}
			again := plan.Stepper(w.request())
			b.ReportAllocs()
			for b.Loop() {
				again()
			}
		})
	}
}
