package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// doStep carries out a step. It calls freeSlot when all that is left is to wait for the
// state to be written.
func (r *runner) doStep(ctx context.Context, s *plan.Step, freeSlot func()) stepStatus {
	start, t := r.Now(), r.changeTasks[s.Change]
	result, err := done, error(nil)
	switch s.Op {
	case plan.OpCreate:
		err = r.reportAction(t, plan.Create, "", func() (string, error) {
			err := r.createAndRecord(ctx, t, s.Fields, freeSlot)
			return t.objectID, err
		})
	case plan.OpVerify:
		result = r.verifyStep(ctx, t)
	case plan.OpUpdate:
		id := cmp.Or(s.RemoteID, t.objectID)
		err = r.reportAction(t, plan.Update, id, func() (string, error) { return id, r.updateObject(ctx, t, id, s) })
		if err == nil {
			t.updatedAt = r.nowToTheSecond()
		}
	case plan.OpDelete:
		err = r.reportAction(t, plan.Delete, s.RemoteID, func() (string, error) {
			return s.RemoteID, r.deleteAndRemoveRetiree(ctx, t, s.RemoteID, freeSlot)
		})
	case plan.OpForget:
		err = r.State.ForgetEntries(t.Addr)
	}
	if err == nil && writesObject(s) {
		err = r.checkPostconditions(t, s)
		t.postconditionFailed = err != nil
	}
	if err != nil {
		result = failed
		if len(t.Sensitive) > 0 || slices.ContainsFunc(t.Kind.Attrs, func(a kind.Attr) bool { return a.SendsSecret() }) {
			err = wire.WithoutMessage(err)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took += r.Now().Sub(start)
	if err != nil {
		t.errs = append(t.errs, err)
	}
	return result
}

// reportAction tells of the beginning and the end of one action. do gives the remote ID
// of what it is about.
func (r *runner) reportAction(t *changeTask, action plan.Action, id string, do func() (remoteID string, err error)) error {
	start := r.Now()
	e := Event{Addr: t.Addr, Kind: t.Kind, Action: action, Stage: Started, RemoteID: id}
	if action == plan.Delete {
		e.DeletedName = t.DeletedName(id)
	}
	r.emit(e)
	id, e.Err = do()
	e.Stage, e.Elapsed, e.RemoteID = Done, r.Now().Sub(start), cmp.Or(id, e.RemoteID)
	if e.Err != nil {
		e.Stage = Failed
	}
	r.emit(e)
	return e.Err
}

// checkPostconditions judges an object once all that the change sets is set.
func (r *runner) checkPostconditions(t *changeTask, s *plan.Step) error {
	res := r.resources[t.Addr]
	isSet := len(t.deferredAttrs) == 0 || s.Op == plan.OpUpdate && s.Member == "" && slices.Equal(s.Fields, t.deferredAttrs)
	if res.Postconditions == nil || !isSet {
		return nil
	}
	if diags := res.Postconditions(r.unconfiguredLiveAttrs); diags.HasErrors() {
		return diags
	}
	return nil
}

// unconfiguredLiveAttrs are the computed attributes of what is recorded by now.
func (r *runner) unconfiguredLiveAttrs(a addr.Addr) (attrs map[string]cty.Value, known bool) {
	e, recorded := r.State.Entry(a)
	if !recorded || r.resources[a] == nil {
		return nil, false
	}
	r.liveMu.Lock()
	defer r.liveMu.Unlock()
	return plan.LiveAttrsNotConfigured(r.resources[a], r.Snapshot, e.ID)
}

// recheckPostconditions judges what is declared once more after a run that wrote: a condition may rest on what was made
// after the resource that it is about. Those that failed already are passed over, and so is what a partial plan leaves alone.
func (r *runner) recheckPostconditions() (failed hcl.Diagnostics) {
	if !slices.ContainsFunc(r.Plan.Steps, func(s plan.Step) bool { return writesObject(&s) }) {
		return nil
	}
	tasks := map[addr.Addr]*changeTask{}
	for _, t := range r.changeTasks {
		tasks[t.Addr] = t
	}
	for _, res := range r.Config.Resources {
		t := tasks[res.Addr]
		if _, recorded := r.State.Entry(res.Addr); res.Postconditions == nil || !recorded || t == nil && len(r.Plan.LeftOut) > 0 ||
			t != nil && (t.postconditionFailed || len(t.errs) > 0) {
			continue
		}
		if diags := res.Postconditions(r.unconfiguredLiveAttrs); diags.HasErrors() {
			failed = append(failed, diags...)
		}
	}
	if judge := r.Config.JudgeConditionsOfModules; judge != nil && len(r.Plan.LeftOut) == 0 {
		failed = append(failed, judge(r.unconfiguredLiveAttrs)...)
	}
	return failed
}

// deleteAndRemoveRetiree deletes a live object and, where it has a successor, strikes it from the
// entry's list.
func (r *runner) deleteAndRemoveRetiree(ctx context.Context, t *changeTask, id string, freeSlot func()) error {
	live, err := r.snapshotJSONOrNil(t.Kind, id)
	if err != nil {
		return err
	}
	err = t.Kind.Delete(ctx, kind.VerbInput{API: r.API, ID: id, Live: live, Force: t.ForceDestroy, Sleep: r.sleepUnlessInterrupted,
		Progress: func(n int) {
			r.emit(Event{Addr: t.Addr, Kind: t.Kind, Action: plan.Delete, Stage: Emptying, RemoteID: id, FilesRemoved: n})
		}})
	refused, isRefused := errors.AsType[*wire.Error](err)
	expired, _ := r.Snapshot.FindExpired(t.Kind, id)
	isOver := expired != nil && isRefused && refused.Status == 400 // the clock was right: what B2 lists is there no more
	if err != nil && !isOver {
		return err
	}
	freeSlot()
	return r.State.RemoveRetiree(t.Addr, id)
}

// snapshotJSONOrNil is the live object as a map; nil where it was not read.
func (r *runner) snapshotJSONOrNil(k *kind.Kind, id string) (map[string]any, error) {
	r.liveMu.Lock()
	defer r.liveMu.Unlock()
	o := r.Snapshot.ByID(k, id)
	if o == nil {
		return nil, nil
	}
	return o.JSONMembers()
}

// updateObject sends attributes. A conflict means that somebody else was faster, or that
// our own reply was lost: the account tells which.
func (r *runner) updateObject(ctx context.Context, t *changeTask, id string, s *plan.Step) error {
	live, err := r.snapshotJSONOrNil(t.Kind, id)
	if err != nil {
		return err
	}
	c, pending := t.Change, t.deferredAttrs
	switch {
	case s.Member != "":
		pending = slices.DeleteFunc(slices.Clone(pending), func(f string) bool { return slices.Contains(s.Fields, f) })
		if c, err = r.limitToMemberSetFirst(c, id, s.Fields[0]); err != nil {
			return err
		}
	case slices.Equal(s.Fields, pending):
		pending = nil
	}
	body, err := t.Kind.Encode(c.After, s.Fields, false, r.idLookup(c))
	if err != nil {
		return err
	}
	raw, err := t.Kind.Update(ctx, kind.VerbInput{API: r.API, ID: id, Live: live, Body: body, Payload: r.resources[t.Addr].Payload})
	var refused *wire.Error
	if errors.As(err, &refused) && refused.Status == 409 {
		return r.acceptIfAlreadyUpdated(ctx, t, c, id, pending, refused)
	}
	if err != nil {
		return err
	}
	o, err := r.Snapshot.NewObject(t.Kind, wire.RawJSON(raw))
	if err != nil {
		return err
	}
	return r.addToSnapshotAndCheck(c, o, pending)
}

// limitToMemberSetFirst is the change as far as a step that sets only that member of an attribute carries it out.
func (r *runner) limitToMemberSetFirst(c *plan.Change, id, attr string) (*plan.Change, error) {
	r.liveMu.Lock()
	o := r.Snapshot.ByID(c.Kind, id)
	r.liveMu.Unlock()
	values, err := o.Values()
	if err != nil {
		return nil, err
	}
	n := *c
	n.After = plan.WithOtherMembersLive(c.After, c.Kind.FindAttr(attr), r.withNamesForIDs(c, values).GetAttr(attr))
	return &n, nil
}

// acceptIfAlreadyUpdated takes an update that was refused for carried out where the object is as it was planned to be. Where
// the reply to an earlier attempt was lost that may show late.
func (r *runner) acceptIfAlreadyUpdated(ctx context.Context, t *changeTask, c *plan.Change, id string, pending []string,
	refused *wire.Error) error {
	var updated *kind.Object
	look := func() (shown bool, err error) {
		found, err := r.listNewByIdentity(ctx, t, nil)
		for _, o := range found {
			if o.ID == id && r.checkAgainstPlan(c, o, pending) == nil {
				updated = o
			}
		}
		return updated != nil || !refused.OutcomeUnknown, err
	}
	err := r.lookUntil(ctx, look)
	switch {
	case updated != nil:
		return r.addToSnapshotAndCheck(c, updated, pending)
	case refused.OutcomeUnknown:
		return &wire.ExplainedError{
			Summary: "It is not known whether the " + t.Kind.Name + " was changed",
			Detail: fmt.Sprintf("B2 did not say what became of the change of %s %q, and does not show it as planned: it shows the change "+
				"late, or another one was made. Run again in some minutes to see what differs then.", t.Kind.Name, t.Identity),
			Cause: errors.Join(refused, err),
		}
	case err != nil:
		return err
	}
	return &wire.ExplainedError{
		Summary: "The " + t.Kind.Name + " was changed by somebody else",
		Detail: fmt.Sprintf("%s %q was changed after the plan was made, so nothing was written to it. Run the command again to see what "+
			"differs now.",
			words.CapitalizeUnlessName(t.Kind.Name), t.Identity),
		Cause: refused,
	}
}

// addToSnapshotAndCheck takes an object as B2 answered it into the snapshot, and compares it with
// what was planned, but for attributes that are pending.
func (r *runner) addToSnapshotAndCheck(c *plan.Change, o *kind.Object, pending []string) error {
	r.liveMu.Lock()
	r.Snapshot.Add(o)
	r.liveMu.Unlock()
	return r.checkAgainstPlan(c, o, pending)
}

// checkAgainstPlan compares a live object with what was planned, but for attributes that are
// pending.
func (r *runner) checkAgainstPlan(c *plan.Change, o *kind.Object, pending []string) error {
	values, err := o.Values()
	if err != nil {
		return err
	}
	v := r.withNamesForIDs(c, values)
	var entry *addr.StateEntry
	if e, ok := r.State.Entry(c.Addr); ok && e.ID == o.ID {
		entry = &e
	}
	ignored := pending
	if !c.Action.MakesObject() {
		ignored = slices.Concat(r.resources[c.Addr].IgnoreChanges, pending)
	}
	fields, _ := plan.Diff(c.Kind, c.After, v, entry, ignored)
	if len(fields) == 0 {
		return nil
	}
	todo := "Look at it with `b2form plan`, and report this if it stays."
	if c.Kind.YieldsSecret() { // it is not kept
		todo = "Nobody got its secret. Run again, and report this if it stays."
	}
	return wire.Explainedf("B2 made something else than planned",
		"%s %q was written, but B2's answer differs from the plan in %s. %s", words.CapitalizeUnlessName(c.Kind.Name),
		c.Identity,
		strings.Join(fields, ", "), todo)
}

// computedAttrsWithoutSecrets answers for deliveries: the computed attributes of what is ours.
func (r *runner) computedAttrsWithoutSecrets(addr addr.Addr) (attrs map[string]cty.Value, ok bool) {
	e, ok := r.State.Entry(addr)
	if !ok {
		return nil, false
	}
	r.liveMu.Lock()
	defer r.liveMu.Unlock()
	return r.Snapshot.ComputedWithoutSecrets(r.kinds[addr.Kind], e.ID)
}
