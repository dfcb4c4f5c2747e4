package account_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/account"
	"b2form/internal/b2"
	"b2form/internal/emulator"
	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

var now = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// A lab is an emulated account behind a loopback listener.
type lab struct {
	t      *testing.T
	server *emulator.Server
	url    string
	master *b2.Client
	kinds  []*kind.Kind
}

// newLab starts an account; wrap, which may be nil, stands in front of it.
func newLab(t *testing.T, wrap func(http.Handler) http.Handler) *lab {
	t.Helper()
	web := httptest.NewUnstartedServer(nil)
	l := &lab{t: t, url: "http://" + web.Listener.Addr().String(), kinds: schema.Kinds()}
	clock := func() time.Time { return now }
	var err error
	l.server, err = emulator.Open(emulator.Options{Now: clock, URL: l.url})
	if err != nil {
		t.Fatal(err)
	}
	web.Config.Handler = l.server
	if wrap != nil {
		web.Config.Handler = wrap(l.server)
	}
	web.Start()
	t.Cleanup(web.Close)
	l.master = l.client(l.server.MasterKeyID(), l.server.MasterKey())
	return l
}

func (l *lab) client(id, key string) *b2.Client {
	l.t.Helper()
	c, err := b2.New(b2.Options{KeyID: id, Key: key, Endpoint: l.url, Now: func() time.Time { return now }})
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

// call sends one request as the master key and returns the reply.
func (l *lab) call(method string, in map[string]any) map[string]any {
	l.t.Helper()
	var out map[string]any
	if err := l.master.Call(l.t.Context(), method, in, &out); err != nil {
		l.t.Fatal(err)
	}
	return out
}

func (l *lab) bucket(name string) (id string) {
	return l.call("b2_create_bucket", map[string]any{"bucketName": name, "bucketType": "allPrivate"})["bucketId"].(string)
}

func (l *lab) key(method, name string, limits map[string]any) (id, secret string) {
	in := map[string]any{"keyName": name, "capabilities": []string{"listFiles"}}
	for k, v := range limits {
		in[k] = v
	}
	out := l.call(method, in)
	return out["applicationKeyId"].(string), out["applicationKey"].(string)
}

// A want is what a test declares and owns.
type want struct {
	Buckets []string            // declared
	Keys    map[string][]string // declared, with the buckets they are limited to
	Entries []addr.StateEntry
	Names   string // a key that the replication of a bucket names
	Several bool   // the announced key is for several buckets
}

func (l *lab) config(w want) *config.Config {
	cfg := &config.Config{}
	declare := func(k *kind.Kind, set map[string]cty.Value) {
		for _, a := range k.SettableAttrs() {
			if _, ok := set[a.Name]; !ok {
				set[a.Name] = cty.NullVal(a.ValueType())
			}
		}
		v, _ := k.NewCompleter().CompleteAndCheck(k.ValuesOf(cty.ObjectVal(set)), false)
		cfg.Resources = append(cfg.Resources, &config.Resource{
			Addr: addr.Addr{Kind: k.Name, Label: set["name"].AsString()}, Kind: k, Value: v,
		})
	}
	for _, name := range w.Buckets {
		declare(l.kinds[0], map[string]cty.Value{"name": cty.StringVal(name)})
	}
	if w.Names != "" {
		v := cty.ObjectVal(map[string]cty.Value{"source": cty.StringVal("0012ab34cd56ef00000000001"),
			"destination": cty.StringVal(w.Names)})
		replication := map[string]cty.Value{}
		for name, t := range l.kinds[0].FindAttr("replication").ValueType().AttributeTypes() {
			replication[name] = cty.NullVal(t)
		}
		replication["destination"] = cty.ObjectVal(map[string]cty.Value{"keys": cty.ListVal([]cty.Value{v})})
		declare(l.kinds[0], map[string]cty.Value{"name": cty.StringVal("acme-copy"), "replication": cty.ObjectVal(replication)})
	}
	for name, buckets := range w.Keys {
		set := map[string]cty.Value{"name": cty.StringVal(name), "access": cty.StringVal("read_only")}
		var list []cty.Value
		for _, b := range buckets {
			list = append(list, cty.StringVal(b))
		}
		if len(list) > 0 {
			set["buckets"] = cty.ListVal(list)
		}
		declare(l.kinds[1], set)
	}
	return cfg
}

// read reads what w wants with the client's credentials, and tells the requests.
func (l *lab) read(c *b2.Client, w want) (*kind.Snapshot, []string, error) {
	l.t.Helper()
	who, err := c.Authorize(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	l.server.ResetCalls()
	query := account.QueryFor(l.config(w), w.Entries, l.kinds)
	if w.Several {
		query.AddMultiBucket("key")
	}
	s, err := account.ReadSnapshot(l.t.Context(), c, who, l.kinds, query, account.RecentEntries{})
	var calls []string
	for _, call := range l.server.Calls() {
		calls = append(calls, "v"+string(rune('0'+call.Version))+"/"+call.Method)
	}
	slices.Sort(calls)
	return s, calls, err
}

func names(s *kind.Snapshot, k *kind.Kind) []string {
	var out []string
	for _, o := range s.AllRead(k) {
		out = append(out, o.Identity)
	}
	slices.Sort(out)
	return out
}

func address(k, label string) addr.Addr { return addr.Addr{Kind: k, Label: label} }

func TestReadAsksOnlyForWhatMatters(t *testing.T) {
	l := newLab(t, nil)
	photos := l.bucket("acme-photos")
	music := l.bucket("acme-music")
	plain, _ := l.key("v3/b2_create_key", "plain", map[string]any{"bucketId": photos})
	multi, _ := l.key("b2_create_key", "multi", map[string]any{"bucketIds": []string{photos, music}})
	v3, v4, buckets := "v3/b2_list_keys", "v4/b2_list_keys", "v4/b2_list_buckets"

	tests := []struct {
		name  string
		want  want
		calls []string
		keys  []string // seen; nil: keys are not read
	}{
		{name: "nothing", calls: nil},
		{name: "a bucket", want: want{Buckets: []string{"acme-photos"}}, calls: []string{buckets}},
		{name: "an owned bucket",
			want:  want{Entries: []addr.StateEntry{{Addr: address("bucket", "x"), Identity: "acme-photos", ID: photos}}},
			calls: []string{buckets}},
		{name: "a key that no run made", want: want{Keys: map[string][]string{"plain": nil}}, calls: []string{v3, buckets, v4},
			keys: []string{"multi", "plain"}},
		{name: "a declared key that a run made", want: want{Keys: map[string][]string{"plain": nil},
			Entries: []addr.StateEntry{{Addr: address("key", "plain"), Identity: "plain", ID: plain}}}, calls: []string{v3, buckets},
			keys: []string{"plain"}},
		{name: "an owned key", want: want{Entries: []addr.StateEntry{{Addr: address("key", "x"), Identity: "plain", ID: plain}}},
			calls: []string{v3, buckets}, keys: []string{"plain"}},
		{name: "a key of two buckets", want: want{Keys: map[string][]string{"multi": {"acme-photos", "acme-music"}}},
			calls: []string{v3, buckets, v4}, keys: []string{"multi", "plain"}},
		{name: "an owned key of two buckets",
			want:  want{Entries: []addr.StateEntry{{Addr: address("key", "x"), Identity: "multi", ID: multi}}},
			calls: []string{v3, v3, buckets, v4}, keys: []string{"multi", "plain"}},
		{name: "a retiring key of two buckets",
			want: want{Entries: []addr.StateEntry{{Addr: address("key", "x"), Identity: "plain", ID: plain,
				Retiring: []addr.RetiringObject{{ID: multi}}}}},
			calls: []string{v3, v3, buckets, v4}, keys: []string{"multi", "plain"}},
		{name: "an owned key that is gone",
			want:  want{Entries: []addr.StateEntry{{Addr: address("key", "x"), Identity: "gone", ID: "004d2e6b27577ea0000000099"}}},
			calls: []string{v3, v3, buckets, v4}, keys: []string{"multi", "plain"}},
		{name: "an announced key", want: want{Entries: []addr.StateEntry{{Addr: address("key", "x"), Identity: "x"}}},
			calls: []string{v3, buckets}, keys: []string{"plain"}},
		{name: "an announced key of two buckets",
			want:  want{Entries: []addr.StateEntry{{Addr: address("key", "x"), Identity: "x"}}, Several: true},
			calls: []string{v3, buckets, v4}, keys: []string{"multi", "plain"}},
		{name: "a key that a replication names", want: want{Names: "plain"}, calls: []string{v3, buckets}, keys: []string{"plain"}},
		{name: "a key of two buckets that a replication names", want: want{Names: "multi"},
			calls: []string{v3, v3, buckets, v4}, keys: []string{"multi", "plain"}},
		{name: "a key that a replication names by its ID", want: want{Names: plain}, calls: []string{buckets}},
		{name: "an unknown kind", want: want{Entries: []addr.StateEntry{{Addr: address("folder", "x"), ID: "4_z"}}}, calls: nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, calls, err := l.read(l.master, tt.want)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(tt.calls)
			if diff := cmp.Diff(tt.calls, calls); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if s.WasReadAtAll(l.kinds[1]) != (tt.keys != nil) {
				t.Errorf("keys were read: %v", s.WasReadAtAll(l.kinds[1]))
			}
			if diff := cmp.Diff(tt.keys, names(s, l.kinds[1])); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

// The common case is one round trip after authorizing: each listing waits here
// until the other has arrived too.
func TestReadListsAtOnce(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	l := newLab(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/b2api/v3/b2_list_keys", "/b2api/v4/b2_list_buckets":
				both.Done()
				both.Wait()
			}
			next.ServeHTTP(w, r)
		})
	})
	s, _, err := l.read(l.master, want{Keys: map[string][]string{"absent": nil}})
	if err != nil || !s.WasReadAtAll(l.kinds[0]) || !s.WasReadAtAll(l.kinds[1]) {
		t.Fatal("not everything was read", err)
	}
}

func TestReadWithLimitedCredentials(t *testing.T) {
	l := newLab(t, nil)
	photos := l.bucket("acme-photos")
	l.bucket("acme-music")
	id, secret := l.key("v3/b2_create_key", "limited", map[string]any{"bucketId": photos, "capabilities": []string{"listBuckets"}})

	s, calls, err := l.read(l.client(id, secret), want{Buckets: []string{"acme-photos", "acme-music"},
		Keys: map[string][]string{"limited": nil}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"acme-photos"}, names(s, l.kinds[0])); diff != "" {
		t.Errorf("buckets (-want +got):\n%s", diff)
	}
	if s.WasReadAtAll(l.kinds[1]) {
		t.Error("keys count as read although listKeys is missing")
	}
	if diff := cmp.Diff([]string{"v4/b2_list_buckets"}, calls); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestReadErrorNamesWhatWasRead(t *testing.T) {
	l := newLab(t, nil)
	l.server.QueueFault(emulator.Fault{Method: "b2_list_buckets", Status: 403, Code: "transaction_cap_exceeded"})
	_, _, err := l.read(l.master, want{Buckets: []string{"acme-photos"}})
	var refused *wire.Error
	if !errors.As(err, &refused) || refused.Code != "transaction_cap_exceeded" {
		t.Fatalf("%v does not carry B2's refusal", err)
	}
	if !strings.HasPrefix(err.Error(), "reading the live buckets: ") {
		t.Errorf("%q does not say what was being read", err)
	}
}

// Whatever a version of the API tells of a key counts, be it the older or the newer
// one that knows the buckets.
func TestReadKeysThatBothVersionsList(t *testing.T) {
	for _, older := range []string{"null", "the first", "absent"} {
		var multi, single string
		l := newLab(t, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reply := httptest.NewRecorder()
				next.ServeHTTP(reply, r)
				body := reply.Body.Bytes()
				if path.Base(r.URL.Path) == "b2_list_keys" {
					body = listBoth(t, body, multi, single, strings.Contains(r.URL.Path, "/v3/"), older)
				}
				_, _ = w.Write(body)
			})
		})
		photos, music := l.bucket("acme-photos"), l.bucket("acme-music")
		multi, _ = l.key("b2_create_key", "multi", map[string]any{"bucketIds": []string{photos, music}, "namePrefix": "library/"})
		single, _ = l.key("v3/b2_create_key", "single", map[string]any{"bucketId": photos})
		s, _, err := l.read(l.master, want{Keys: map[string][]string{"multi": {"acme-music", "acme-photos"}}})
		if err != nil {
			t.Fatal(err)
		}
		for name, buckets := range map[string][]string{"multi": {"acme-music", "acme-photos"}, "single": {"acme-photos"}} {
			found := s.ByIdentity(l.kinds[1], name)
			if len(found) != 1 {
				t.Fatalf("%s: %d keys %s", older, len(found), name)
			}
			v, err := found[0].Value()
			if err != nil {
				t.Fatal(err)
			}
			if got := kind.StringsIfWhollyKnown(v.GetAttr("buckets")); !slices.Equal(got, buckets) {
				t.Errorf("version 3 says %s: %s is for %v, want %v", older, name, got, buckets)
			}
		}
	}
}

// listBoth has a listing hold a key for several buckets and one for a single bucket,
// with the members that its version has for that.
func listBoth(t *testing.T, body []byte, multi, single string, v3 bool, older string) []byte {
	t.Helper()
	var page struct {
		Keys []map[string]any `json:"keys"`
		Next any              `json:"nextApplicationKeyId"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		t.Fatal(err)
	}
	add := func(id, name string, more map[string]any) {
		k := map[string]any{"applicationKeyId": id, "keyName": name, "capabilities": []string{"listFiles"}}
		maps.Copy(k, more)
		page.Keys = append(page.Keys, k)
	}
	switch {
	case !v3:
		page.Keys = slices.DeleteFunc(page.Keys, func(k map[string]any) bool { return k["applicationKeyId"] == single })
		add(single, "single", map[string]any{"bucketIds": []string{}})
	case older == "null":
		add(multi, "multi", map[string]any{"bucketId": nil})
	case older == "absent":
		add(multi, "multi", nil)
	default:
		add(multi, "multi", map[string]any{"bucketId": page.Keys[0]["bucketId"]})
	}
	out, err := json.Marshal(page)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
