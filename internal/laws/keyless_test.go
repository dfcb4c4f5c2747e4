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

// keyless is B2 that answers to the creation of a key without its secret.
type keyless struct {
	wire.API
	secret string // in its place, as JSON; "": nothing
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
	*raw, err = json.Marshal(m)
	return err
}

// A key whose secret did not come along is of no use to anybody: nothing is delivered, and
// it is deleted again.
func TestKeyWithoutSecretIsNotDelivered(t *testing.T) {
	for _, reply := range []string{"", `""`, "null", "7"} {
		w := newWorld(t, emulator.Options{})
		w.configure(aKey)
		s, a := w.planned()
		w.must(s.Bind(a.snapshot.Account.ID, a.snapshot.Account.Realm))
		r := apply.Run(t.Context(), apply.Options{
			API: keyless{a.client, reply}, Kinds: w.kinds, Config: a.config, Snapshot: a.snapshot, Plan: a.plan, State: s,
			Secrets: secret.Options{Stdout: printer{w}}, Parallelism: 1, Now: w.here,
		})
		if !r.Failed() || len(r.Changes) != 1 || r.Changes[0].Err == nil ||
			!strings.Contains(r.Changes[0].Err.Error(), "has no applicationKey") {
			t.Errorf("%q: %+v", reply, r.Changes)
		}
		if len(r.Secrets) > 0 || strings.Contains(w.dump(), `"keyName": "app"`) {
			t.Errorf("%q: secrets %v; the key stays", reply, r.Secrets)
		}
		w.must(s.Close())
		if open := w.announced(); len(open) > 0 {
			t.Errorf("%q: still announced: %v", reply, open)
		}
		w.close()
	}
}
