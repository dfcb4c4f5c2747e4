package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// announceCreates makes creates known to the next run, should this one not see their
// outcome: under which names objects will appear, and the IDs that carry those
// names already. What else appears under them is ours.
func (r *runner) announceCreates(creates []int) error {
	intents := make([]state.CreateIntent, len(creates))
	for i, step := range creates {
		t := r.changeTasks[r.Plan.Steps[step].Change]
		stamped, err := r.withTimestampIfRotating(t.Change)
		if err != nil {
			r.announceCreatesErr = err
			return err
		}
		t.Change = stamped
		t.idsBeforeCreate = r.idsWithIdentity(t.Change)
		before := slices.IndexFunc(r.openIntents, func(open state.CreateIntent) bool {
			return open.Addr == t.Addr && open.Identity == t.Identity
		})
		t.announcedBefore = before >= 0
		if t.announcedBefore && r.mayStillAppear(&r.openIntents[before]) {
			t.unresolvedAttempts = 1
		}
		known := slices.DeleteFunc(slices.Clone(t.idsBeforeCreate), func(id string) bool {
			return t.announcedBefore && id == t.RemoteID ||
				slices.ContainsFunc(t.FurtherDeletes, func(o plan.NamedObject) bool { return o.ID == id })
		})
		intents[i] = state.CreateIntent{Addr: t.Addr, Identity: t.Identity, KnownIDs: known, AnnouncedAt: r.nowToTheSecond(),
			MultiBucket: config.NeedsMultiBucket(t.Kind, t.After)}
	}
	if err := r.State.AnnounceCreates(intents...); err != nil {
		r.announceCreatesErr = err
		return err
	}
	for _, step := range creates {
		r.changeTasks[r.Plan.Steps[step].Change].announced = true
	}
	return nil
}

// idsWithIdentity are the IDs of the live objects that carry a change's identity;
// sorted.
func (r *runner) idsWithIdentity(c *plan.Change) []string {
	r.liveMu.Lock()
	defer r.liveMu.Unlock()
	var ids []string
	for _, o := range r.Snapshot.ByIdentity(c.Kind, c.Kind.NormalizeIdentity(c.Identity)) {
		ids = append(ids, o.ID)
	}
	slices.Sort(ids)
	return ids
}

// createAndRecord makes the object of a task, which is announced. Every destination of its
// secret is prepared before the request goes out.
func (r *runner) createAndRecord(ctx context.Context, t *changeTask, fields []string, freeSlot func()) (err error) {
	body, err := t.Kind.Encode(t.After, fields, true, r.idLookup(t.Change))
	if err != nil {
		return errors.Join(err, r.withdrawOwnIntentIfResolved(t))
	}
	slots, err := r.prepareDelivery(ctx, t)
	if err != nil {
		return errors.Join(err, r.withdrawOwnIntentIfResolved(t))
	}
	defer func() { err = errors.Join(err, slots.Abandon()) }()
	raw, refused, err := r.createWithRetries(ctx, t, kind.VerbInput{API: r.API, Body: body, Payload: r.resources[t.Addr].Payload})
	if refused {
		return errors.Join(err, r.withdrawOwnIntentIfResolved(t))
	}
	if raw == nil {
		return err
	}
	o, key, objErr := SplitSecret(r.Snapshot, t.Kind, raw)
	if o == nil {
		return errors.Join(err, objErr)
	}
	if err := r.checkCreateReply(t, o); err != nil {
		return err
	}
	t.objectID = o.ID
	err = errors.Join(err, objErr, r.addToSnapshotAndCheck(t.Change, o, t.deferredAttrs))
	if t.Kind.YieldsSecret() {
		return r.deliverRecordOrDelete(ctx, t, o, key, slots, err, freeSlot)
	}
	freeSlot()
	return errors.Join(err, r.recordNewEntry(t, r.createdAtOrNow(t.Change, o), false))
}

// checkCreateReply refuses a reply that is about something else than what was to be made: nothing
// shows that it is ours to record, or to delete. What was made stays announced.
func (r *runner) checkCreateReply(t *changeTask, o *kind.Object) error {
	if o.Kind.ParentKind() != "" || r.Snapshot.ByID(o.Kind, o.ID) == nil && o.Identity == o.Kind.NormalizeIdentity(t.Identity) {
		return nil
	}
	return wire.Explainedf("B2 answered with another "+o.Kind.Name,
		"The creation of the %s %q was answered with %.100q (ID %.100q), which is not what was to be made. It was left "+
			"alone. The state keeps note of the creation: run again, and what has appeared is dealt with.",
		o.Kind.Name, t.Identity, o.Identity, o.ID)
}

// withdrawOwnIntentIfResolved takes back the announcement of a create that has not taken effect. One
// that is older than this run stays, and so does one of which an attempt may still
// take effect.
func (r *runner) withdrawOwnIntentIfResolved(t *changeTask) error {
	if t.announcedBefore || t.unresolvedAttempts > 0 {
		return nil
	}
	return r.State.DropIntents(state.CreateIntent{Addr: t.Addr, Identity: t.Identity})
}

// recordNewEntry writes the entry of a new object.
func (r *runner) recordNewEntry(t *changeTask, made time.Time, delivered bool) error {
	res := r.resources[t.Addr]
	e := addr.StateEntry{Addr: t.Addr, Identity: t.Identity, ID: t.objectID, PreventDestroy: res.PreventDestroy,
		ForceDestroy: plan.ForceDestroys(t.Kind, res.Value), SensitiveAttrs: res.SensitiveAttrs, Created: made,
		Retiring: addr.SortRetiring(append(retireesAfterCreate(t.Change, r.nowToTheSecond()), r.listedExpiredPredecessors(t)...))}
	if delivered {
		e.Delivered, e.DeliveryDigest = true, plan.DeliveryDigest(res, func(a addr.Addr) string {
			other, _ := r.State.Entry(a)
			return other.ID
		})
	}
	if t.unresolvedAttempts > 0 && t.Kind.NameTakenCode == "" { // else the name is taken now
		return r.State.PutKeepingIntent(e)
	}
	return r.State.PutEntriesCloseIntents(e)
}

// retireesAfterCreate are the earlier objects that are recorded with the one that takes
// their place: to be deleted at once, or when their time is over. It runs from
// now, when the new one has reached its destinations.
func retireesAfterCreate(c *plan.Change, now time.Time) []addr.RetiringObject {
	out := slices.Clone(c.Retiring)
	for _, o := range c.Deletes() {
		out = append(out, addr.RetiringObject{ID: o.ID, Name: o.Name})
	}
	for _, o := range c.Overlapping {
		out = append(out, addr.RetiringObject{ID: o.ID, Name: o.Name, KeepUntil: now.Add(c.Overlap)})
	}
	return out
}

// listedExpiredPredecessors are what the entry records, ended by the clock, and B2 lists. The clock may be wrong, so they are recorded
// until B2 lists them no more.
func (r *runner) listedExpiredPredecessors(t *changeTask) (list []addr.RetiringObject) {
	e, _ := r.State.Entry(t.Addr)
	for _, old := range append(e.Retiring, addr.RetiringObject{ID: e.ID, Name: e.Identity}) {
		expired, at := r.Snapshot.FindExpired(t.Kind, old.ID)
		if expired == nil {
			continue
		}
		if old.ID == e.ID {
			old.KeepUntil = at
		}
		list = append(list, old)
	}
	return list
}

// withTimestampIfRotating is the change with the name under which its object will live. In a
// rotation that is later than every name of it that is live, whatever the clock
// says: the newest name is the newest object. It fails where no name is later.
func (r *runner) withTimestampIfRotating(c *plan.Change) (*plan.Change, error) {
	if _, ok := c.Kind.RotationOf(c.After); !ok {
		return c, nil
	}
	at := r.nowToTheSecond()
	r.liveMu.Lock()
	for _, o := range r.Snapshot.AllRead(c.Kind) {
		if name, made, ok := kind.ParseTimestampedName(o.Identity); ok && name == c.Identity && !made.Before(at) {
			at = made.Add(time.Second)
		}
	}
	r.liveMu.Unlock()
	n := *c
	n.Identity = kind.TimestampedName(c.Identity, at)
	if _, _, ok := kind.ParseTimestampedName(n.Identity); !ok {
		last := kind.TimestampedName(c.Identity, at.Add(-time.Second))
		return nil, &wire.ExplainedError{Summary: "No name is left for a new " + c.Kind.Name, Detail: fmt.Sprintf("In a rotation, names "+
			"end with the time at which each %[1]s was made, and no time later than that in %[2]q can be written. Delete that %[1]s, "+
			"which no rotation has made.", c.Kind.Name, last)}
	}
	after := c.After.AsValueMap()
	after[c.Kind.IdentityAttr] = cty.StringVal(n.Identity)
	n.After = cty.ObjectVal(after)
	return &n, nil
}

// createdAtOrNow is when the object was made, by B2's clock where its answer tells.
func (r *runner) createdAtOrNow(c *plan.Change, o *kind.Object) time.Time {
	if c.Kind.Credential == nil {
		return r.nowToTheSecond()
	}
	live, err := o.Value()
	if err != nil {
		return r.nowToTheSecond() // the check that follows says so
	}
	if at := c.Kind.Credential.CreatedAt(c.After, live); !at.IsZero() {
		return at.UTC().Truncate(time.Second)
	}
	return r.nowToTheSecond()
}

// prepareDelivery proves that every destination of the new secret can take it.
func (r *runner) prepareDelivery(ctx context.Context, t *changeTask) (*secret.PreparedDelivery, error) {
	env := r.Delivery
	env.LiveLookup = r.computedAttrsWithoutSecrets
	return secret.Prepare(ctx, r.keyInfo(t.Change, "", secret.Value{}), r.resources[t.Addr].Deliveries, env)
}

// keyInfo describes the key to its destinations.
func (r *runner) keyInfo(c *plan.Change, id string, key secret.Value) secret.KeyInfo {
	account := r.Snapshot.Account
	self := secret.KeyInfo{DeclaredName: r.resources[c.Addr].Identity(), KeyID: id, Key: key, Realm: account.Realm,
		S3Endpoint: account.S3URL, S3Region: account.S3Region()}
	if c.Kind.Credential != nil {
		self.Buckets, self.NamePrefix = c.Kind.Credential.Reach(c.After)
	}
	return self
}

// SplitSecret takes the secret out of B2's reply to a create before anything keeps the
// rest, which it reads as an object of the snapshot. Where the reply lacks the secret
// there may be an object beside the error: it is of no use. The error is for people.
func SplitSecret(s *kind.Snapshot, k *kind.Kind, raw json.RawMessage) (*kind.Object, secret.Value, error) {
	var key secret.Value
	var lacks error
	for _, a := range k.ComputedAttrs() {
		if !a.Secret {
			continue
		}
		var m map[string]json.RawMessage
		var text string
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, key, wire.UntrueReply("B2's reply to the creation of a %s cannot be read", k.Name)
		}
		if err := json.Unmarshal(m[a.WirePath], &text); err != nil || text == "" || strings.ContainsFunc(text, unicode.IsControl) {
			lacks = wire.UntrueReply("B2's reply to the creation of a %s has no %s", k.Name, a.WirePath)
		}
		key = secret.New(text)
		delete(m, a.WirePath)
		var err error
		if raw, err = json.Marshal(m); err != nil {
			return nil, key, err
		}
	}
	o, err := s.NewObject(k, wire.RawJSON(raw))
	if err != nil {
		return nil, key, errors.Join(lacks, err)
	}
	if strings.ContainsFunc(o.ID, unicode.IsControl) { // under which nothing could be deleted
		return nil, key, wire.UntrueReply("B2's reply to the creation of a %s has no %s that can be used", k.Name, k.IDAttr)
	}
	return o, key, lacks
}

// deliverRecordOrDelete delivers a new key's secret and records the key. If anything is wrong,
// before it or with it, the key is deleted again: nobody could use it.
func (r *runner) deliverRecordOrDelete(ctx context.Context, t *changeTask, o *kind.Object, key secret.Value,
	prepared *secret.PreparedDelivery,
	earlierErr error,
	freeSlot func()) error {
	if gone := r.State.ConfirmLocked(); gone != nil {
		return gone // whoever has the state now finds the key announced, and deletes it
	}
	var where []string
	if earlierErr == nil {
		where, earlierErr = prepared.Deliver(r.keyInfo(t.Change, o.ID, key), r.computedAttrsWithoutSecrets)
	}
	made, shown := NewKey{KeyID: o.ID, Key: key, DeliveredTo: where}, false
	if earlierErr == nil {
		shown, earlierErr = r.showKeyIfWanted(t, made)
	}
	if earlierErr != nil {
		if err := r.deleteUndelivered(ctx, t, o); err != nil {
			return errors.Join(earlierErr, err)
		}
		return wire.AppendToExplainedDetail(earlierErr, fmt.Sprintf("The new %s was deleted again.", t.Kind.Name))
	}
	freeSlot()
	if err := r.recordNewEntry(t, r.createdAtOrNow(t.Change, o), len(where) > 0 || shown); err != nil {
		if shown {
			where = append(where, "standard output")
		}
		return errors.Join(err, errorIfDeliveredUnrecorded(t.Change, o, where))
	}
	t.newKey = made
	for _, w := range where {
		r.emit(Event{Addr: t.Addr, Kind: t.Kind, Action: t.Action, Stage: Delivered, RemoteID: o.ID, Destination: w})
	}
	return nil
}

// showKeyIfWanted shows a new secret. It fails where nobody has the secret then.
func (r *runner) showKeyIfWanted(t *changeTask, made NewKey) (shown bool, err error) {
	if r.ShowKey == nil {
		return false, nil
	}
	r.eventsMu.Lock() // what is shown stands between what is told of other steps
	defer r.eventsMu.Unlock()
	shown, err = r.ShowKey(t.Addr, made)
	if err == nil || len(made.DeliveredTo) > 0 {
		return shown && err == nil, nil
	}
	return false, wire.Explainedf("Secret was not shown",
		"The secret of the %s %q was delivered nowhere, and could not be printed: %s.", t.Kind.Name, t.Identity,
		err)
}

// errorIfDeliveredUnrecorded names the places that hold a secret of which the state does not
// know. Because of the announcement the next run takes the key for undelivered.
func errorIfDeliveredUnrecorded(c *plan.Change, o *kind.Object, where []string) error {
	if len(where) == 0 {
		return nil
	}
	return wire.Explainedf("A delivery is not recorded",
		"The secret of %s %q (ID %s) went to %s, but the state could not be told. The next apply deletes that %s "+
			"and delivers the secret of another one, unless a run has done so already: do not rely on the one delivered now.", c.Kind.Name,
		c.Identity, o.ID, strings.Join(where, ", "), c.Kind.Name)
}

// deleteUndelivered deletes a new object that is of no use. Where that fails the journal
// still has the announcement, and the next run deletes it.
func (r *runner) deleteUndelivered(ctx context.Context, t *changeTask, o *kind.Object) error {
	if err := r.deleteOwnObject(ctx, t.Kind, o); err != nil {
		return &wire.ExplainedError{
			Summary: "A new " + t.Kind.Name + " was left behind",
			Detail: fmt.Sprintf("%s %q (ID %s) was made but is not used, and could not be deleted again; the next apply deletes it.",
				words.CapitalizeUnlessName(t.Kind.Name), t.Identity, o.ID),
			Cause: err,
		}
	}
	return r.withdrawOwnIntentIfResolved(t)
}
