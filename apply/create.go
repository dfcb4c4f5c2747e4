package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/plan"
	"b2form/schema/kind"
)

// made is what is to be recorded of a new object.
type made struct {
	at        time.Time
	delivered bool
	digest    string
}

// create makes the object of a change. The journal knows of it before the
// request goes out, and every destination of its secret is prepared before
// that. It returns the new object's ID.
func (r *runner) create(ctx context.Context, c *plan.Change) (id string, err error) {
	c = r.stamped(c)
	call, err := r.createCall(c)
	if err != nil {
		return "", err
	}
	slots, err := r.prepare(ctx, c)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, slots.Abandon()) }()
	known, err := r.begin(c)
	if err != nil {
		return "", err
	}
	raw, err := r.send(ctx, c, call, known)
	if raw == nil {
		return "", r.notMade(c, err)
	}
	o, key, objErr := r.object(c.Kind, raw)
	if objErr != nil {
		return "", errors.Join(err, objErr)
	}
	r.mu.Lock()
	r.Snapshot.Add(o)
	r.mu.Unlock()
	m := &made{at: r.madeAt(c, o)}
	if err == nil {
		err = r.check(c, o, c.Late)
	}
	if c.Kind.Delivers {
		return o.ID, r.finishSecret(ctx, c, o, key, slots, m, err)
	}
	return o.ID, errors.Join(err, r.record(c, o.ID, m))
}

// stamped is the change with the name under which its object will live. In a
// rotation that is later than every name of it that is live, whatever the clock
// says: the newest name is the newest object.
func (r *runner) stamped(c *plan.Change) *plan.Change {
	if _, ok := c.Kind.RotationOf(c.After); !ok {
		return c
	}
	at := r.now()
	r.mu.Lock()
	for _, o := range r.Snapshot.All(c.Kind) {
		if name, made, ok := kind.Unstamped(o.Identity); ok && name == c.Identity && !made.Before(at) {
			at = made.Add(time.Second)
		}
	}
	r.mu.Unlock()
	n := *c
	n.Identity = kind.Stamped(c.Identity, at)
	after := c.After.AsValueMap()
	after[c.Kind.Identity] = cty.StringVal(n.Identity)
	n.After = cty.ObjectVal(after)
	return &n
}

// madeAt is when the object was made, by B2's clock where its answer tells.
func (r *runner) madeAt(c *plan.Change, o *kind.Object) time.Time {
	if c.Kind.Made == nil {
		return r.now()
	}
	live, err := o.Value()
	if err != nil {
		return r.now() // the check that follows says so
	}
	if at := c.Kind.Made(c.After, live); !at.IsZero() {
		return at.UTC().Truncate(time.Second)
	}
	return r.now()
}

// notMade strikes the announcement of a create that B2 refused. One with an
// unknown outcome stays for the next run.
func (r *runner) notMade(c *plan.Change, err error) error {
	var e *kind.Error
	if errors.As(err, &e) && e.Unknown {
		return err
	}
	return errors.Join(err, r.State.Drop(c.Addr, c.Identity))
}

// prepare proves that every destination of the new secret can take it.
func (r *runner) prepare(ctx context.Context, c *plan.Change) (*secret.Slots, error) {
	env := r.Secrets
	env.Live = r.live
	return secret.Prepare(ctx, r.self(c, "", secret.Value{}), r.resources[c.Addr].Deliver, env)
}

// self describes the key to its destinations.
func (r *runner) self(c *plan.Change, id string, key secret.Value) secret.Self {
	account := r.Snapshot.Account
	self := secret.Self{Name: r.resources[c.Addr].Identity(), KeyID: id, Key: key, Endpoint: account.S3URL, Region: account.S3Region()}
	if !c.Kind.Delivers {
		return self
	}
	if buckets := c.After.GetAttr("buckets"); !buckets.IsNull() {
		for _, b := range buckets.AsValueSlice() {
			self.Buckets = append(self.Buckets, b.AsString())
		}
	}
	if prefix := c.After.GetAttr("name_prefix"); !prefix.IsNull() {
		self.NamePrefix = prefix.AsString()
	}
	return self
}

// createCall builds the request: what is not set last.
func (r *runner) createCall(c *plan.Change) (kind.Call, error) {
	var names []string
	for _, a := range c.Kind.Settable() {
		if !a.Later {
			names = append(names, a.Name)
		}
	}
	body, err := c.Kind.Encode(c.After, names, true, r.id(c))
	return kind.Call{API: r.API, Body: body, Payload: r.resources[c.Addr].Payload}, err
}

// begin announces the create in the journal, with the IDs that carry the
// identity already: what else appears under it is ours.
func (r *runner) begin(c *plan.Change) (known []string, err error) {
	r.mu.Lock()
	for _, o := range r.Snapshot.ByIdentity(c.Kind, c.Kind.Fold(c.Identity)) {
		if !slices.Contains(c.Leftovers, o.ID) {
			known = append(known, o.ID)
		}
	}
	r.mu.Unlock()
	slices.Sort(known)
	return known, r.State.Begin(state.Intent{Addr: c.Addr, Identity: c.Identity, Known: known, At: r.now()})
}

// attempts bounds how often a create is sent whose outcome was unknown.
const attempts = 3

// send creates, and after an unknown outcome looks before it does so again. An
// object without a secret to lose is taken as it was made; one whose secret was
// in the lost reply is deleted and made anew.
func (r *runner) send(ctx context.Context, c *plan.Change, call kind.Call, known []string) (json.RawMessage, error) {
	for try := 1; ; try++ {
		raw, err := c.Kind.Create(ctx, call)
		var lost *kind.Error
		if raw != nil || !errors.As(err, &lost) || !lost.Unknown && !(try > 1 && lost.Code == "duplicate_bucket_name") {
			return raw, err
		}
		found, lookErr := r.look(ctx, c, known)
		if lookErr != nil {
			return nil, errors.Join(err, lookErr)
		}
		if len(found) > 0 && !c.Kind.Delivers {
			return json.RawMessage(found[0].Raw), nil
		}
		for _, o := range found {
			live, err := o.Members()
			if err != nil {
				return nil, err
			}
			if err := c.Kind.Delete(ctx, kind.Call{API: r.API, ID: o.ID, Live: live}); err != nil {
				return nil, err
			}
		}
		// A key that is not listed may still appear: making another now could
		// leave two. The journal keeps the announcement for the next run.
		if try == attempts || c.Kind.Delivers && len(found) == 0 {
			return nil, err
		}
	}
}

// look reads the objects that carry the change's identity now and are not known.
func (r *runner) look(ctx context.Context, c *plan.Change, known []string) ([]*kind.Object, error) {
	only := c.Identity
	if whole := c.Kind.PartOf(); whole != "" {
		only = c.Kind.PartID(c.Identity, r.lookUp(whole, c.Kind.Holder(c.Identity)))
	}
	list, err := c.Kind.List(ctx, r.API, kind.Scope{Account: r.Snapshot.Account, Multi: true, Only: []string{only}})
	if err != nil {
		return nil, err
	}
	var found []*kind.Object
	seen := map[string]bool{}
	for _, raw := range list {
		o, err := r.Snapshot.Object(c.Kind, raw)
		if err != nil {
			return nil, err
		}
		if o.Identity == c.Kind.Fold(c.Identity) && !slices.Contains(known, o.ID) && !seen[o.ID] {
			seen[o.ID] = true
			found = append(found, o)
		}
	}
	return found, nil
}

// object takes the secret out of a reply before anything keeps the rest.
func (r *runner) object(k *kind.Kind, raw json.RawMessage) (*kind.Object, secret.Value, error) {
	var key secret.Value
	for _, a := range k.ComputedAttrs() {
		if !a.Secret {
			continue
		}
		var m map[string]json.RawMessage
		var text string
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, key, fmt.Errorf("B2's reply to the creation of a %s cannot be read", k.Name)
		}
		if err := json.Unmarshal(m[a.Wire], &text); err != nil {
			return nil, key, fmt.Errorf("B2's reply to the creation of a %s has no %s", k.Name, a.Wire)
		}
		key = secret.New(text)
		delete(m, a.Wire)
		var err error
		if raw, err = json.Marshal(m); err != nil {
			return nil, key, err
		}
	}
	o, err := r.Snapshot.Object(k, kind.JSON(raw))
	return o, key, err
}

// finishSecret delivers a new key's secret and records the key. If anything is
// wrong the key is deleted again: nobody could use it.
func (r *runner) finishSecret(ctx context.Context, c *plan.Change, o *kind.Object, key secret.Value, slots *secret.Slots, m *made, err error) error {
	if gone := r.State.Check(); gone != nil {
		return gone // whoever has the state now finds the key announced, and deletes it
	}
	var where []string
	if err == nil {
		where, err = slots.Deliver(r.self(c, o.ID, key), r.live)
	}
	if err != nil {
		return errors.Join(err, r.takeBack(ctx, c, o))
	}
	m.delivered, m.digest = true, plan.DeliveryDigest(r.resources[c.Addr])
	if err := r.record(c, o.ID, m); err != nil {
		return errors.Join(err, deliveredInVain(c, o, where))
	}
	r.mu.Lock()
	r.secrets[c.Addr] = Secret{KeyID: o.ID, Key: key, Delivered: where}
	r.mu.Unlock()
	for _, w := range where {
		r.emit(Event{Addr: c.Addr, Kind: c.Kind, Action: c.Action, Stage: Delivered, ID: o.ID, Note: w})
	}
	r.confirm(ctx, c, o.ID, key)
	return nil
}

// deliveredInVain names the places that hold a secret of which the state does not
// know. Because of the announcement the next run takes the key for undelivered.
func deliveredInVain(c *plan.Change, o *kind.Object, where []string) error {
	if len(where) == 0 {
		return nil
	}
	return &kind.Explained{
		Summary: "A delivery is not recorded",
		Detail: fmt.Sprintf("The secret of %s %q (ID %s) went to %s, but the state could not be told. The next apply deletes that %s and delivers the secret of "+
			"another one, unless a run has done so already: do not rely on the one delivered now.", c.Kind.Name, c.Identity, o.ID, strings.Join(where, ", "), c.Kind.Name),
	}
}

// takeBack deletes a new object that is of no use. Where that fails the journal
// still has the announcement, and the next run deletes it.
func (r *runner) takeBack(ctx context.Context, c *plan.Change, o *kind.Object) error {
	live, err := o.Members()
	if err != nil {
		return err
	}
	if err := c.Kind.Delete(ctx, kind.Call{API: r.API, ID: o.ID, Live: live}); err != nil {
		return &kind.Explained{
			Summary: "A new " + c.Kind.Name + " was left behind",
			Detail:  fmt.Sprintf("%s %q (ID %s) was made but is not used, and could not be deleted again; the next apply deletes it.", title(c.Kind.Name), c.Identity, o.ID),
			Cause:   err,
		}
	}
	return r.State.Drop(c.Addr, c.Identity)
}
