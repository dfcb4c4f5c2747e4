package laws_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"b2form/apply"
	"b2form/internal/emulator"
	"b2form/internal/secret"
	"b2form/schema/wire"
)

// keyless is B2 that answers to the creation of a key without its secret, or otherwise
// untruly.
type keyless struct {
	wire.API
	secret string            // in its place, as JSON; "": nothing
	others map[string]string // what further members are instead, as JSON
}

func (k keyless) Call(ctx context.Context, method string, in, out any) error {
	err := k.API.Call(ctx, method, in, out)
	raw, isRaw := out.(*json.RawMessage)
	if err != nil || !isRaw || !strings.HasSuffix(method, "b2_create_key") {
		return err
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(*raw, &m); err != nil {
		return err
	}
	delete(m, "applicationKey")
	if k.secret != "" {
		m["applicationKey"] = json.RawMessage(k.secret)
	}
	for name, value := range k.others {
		m[name] = json.RawMessage(value)
	}
	*raw, err = json.Marshal(m)
	return err
}

// A key whose secret did not come along is of no use to anybody: nothing is delivered, and
// it is deleted again.
func TestKeyWithoutSecretIsNotDelivered(t *testing.T) {
	for _, reply := range []string{"", `""`, "null", "7", `"K004\nEVIL=1"`} {
		w := newWorld(t, emulator.Options{})
		w.configure(aKey)
		s, a := w.planned()
		w.must(s.BindAccount(a.snapshot.Account.ID, a.snapshot.Account.Realm))
		r := apply.Run(t.Context(), apply.Options{
			API: keyless{API: a.client, secret: reply}, Kinds: w.kinds, Config: a.config, Snapshot: a.snapshot, Plan: a.plan, State: s,
			Delivery: secret.DeliveryOptions{Stdout: printer{w}}, Parallelism: 1, Now: w.here,
		})
		if !r.Incomplete() || len(r.BegunChanges) != 1 || r.BegunChanges[0].Err == nil ||
			!strings.Contains(r.BegunChanges[0].Err.Error(), "has no applicationKey") {
			t.Errorf("%q: %+v", reply, r.BegunChanges)
		}
		if len(r.UsableNewKeys) > 0 || strings.Contains(w.dump(), `"keyName": "app"`) {
			t.Errorf("%q: secrets %v; the key stays", reply, r.UsableNewKeys)
		}
		w.must(s.Close())
		if open := w.announced(); len(open) > 0 {
			t.Errorf("%q: still announced: %v", reply, open)
		}
		w.close()
	}
}

// A reply that is about another key than the one that was asked for is no proof that the
// other one is ours: it is neither recorded nor delivered nor deleted.
func TestReplyAboutAnotherKey(t *testing.T) {
	for _, name := range []string{`"other"`, `"app"`} {
		w := newWorld(t, emulator.Options{})
		w.configure(aKey)
		other := w.by("b2_create_key", `{"accountId":%q,"keyName":"other","capabilities":["listFiles"]}`, w.b2.AccountID())
		s, a := w.planned()
		w.must(s.BindAccount(a.snapshot.Account.ID, a.snapshot.Account.Realm))
		r := apply.Run(t.Context(), apply.Options{
			API: keyless{a.client, `"K004abc"`, map[string]string{
				"keyName": name, "applicationKeyId": `"` + other["applicationKeyId"].(string) + `"`,
			}},
			Kinds: w.kinds, Config: a.config, Snapshot: a.snapshot, Plan: a.plan, State: s,
			Delivery: secret.DeliveryOptions{Stdout: printer{w}}, Parallelism: 1, Now: w.here,
		})
		if !r.Incomplete() || len(r.BegunChanges) != 1 || r.BegunChanges[0].Err == nil ||
			!strings.Contains(r.BegunChanges[0].Err.Error(), "B2 answered with another key") {
			t.Errorf("%s: %+v", name, r.BegunChanges)
		}
		if len(r.UsableNewKeys) > 0 || len(r.Entries) > 0 || !strings.Contains(w.dump(), `"keyName": "other"`) {
			t.Errorf("%s: secrets %v, entries %v, or the other key is gone", name, r.UsableNewKeys, r.Entries)
		}
		w.must(s.Close())
		if len(w.announced()) != 1 {
			t.Errorf("%s: announced: %v", name, w.announced())
		}
		w.close()
	}
}
