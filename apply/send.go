package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"b2form/internal/state"
	"b2form/plan"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// maxCreateAttempts bounds how often a create is sent whose outcome was unknown: as often
// as other requests are repeated.
const maxCreateAttempts = 8

// mayStillAppear reports whether what was announced may appear after this run has read the
// account.
func (r *runner) mayStillAppear(i *state.CreateIntent) bool {
	return r.RunStart.Before(i.AnnouncedAt.Add(plan.MayTakeEffectFor))
}

// createWithRetries creates, and after an unknown outcome looks before it does so again. An
// object without a secret to lose is taken as it was made; one whose secret was
// in the lost reply is deleted and made anew. refused says that no attempt can have
// taken effect.
func (r *runner) createWithRetries(ctx context.Context, t *changeTask, call kind.VerbInput) (raw json.RawMessage, certainlyNotMade bool,
	err error) {
	for try := 1; ; try++ {
		raw, err = t.Kind.Create(ctx, call)
		var lost *wire.Error
		isError := errors.As(err, &lost)
		taken := isError && t.unresolvedAttempts > 0 && t.Kind.NameTakenCode != "" && lost.Code == t.Kind.NameTakenCode
		if raw != nil || !isError || !lost.OutcomeUnknown && !taken {
			return raw, raw == nil && t.unresolvedAttempts == 0, err
		}
		if lost.OutcomeUnknown {
			t.unresolvedAttempts++
		}
		found, lookErr := r.findCreated(ctx, t)
		if lookErr != nil {
			return nil, false, r.explainIfOutcomeUnknown(t, errors.Join(err, lookErr))
		}
		t.unresolvedAttempts = max(0, t.unresolvedAttempts-len(found))
		if len(found) > 0 && !t.Kind.YieldsSecret() {
			return json.RawMessage(found[0].Raw), false, nil
		}
		for _, o := range found {
			if err := r.deleteOwnObject(ctx, t.Kind, o); err != nil {
				return nil, false, err
			}
		}
		if try == maxCreateAttempts || taken {
			return nil, false, r.explainIfOutcomeUnknown(t, err)
		}
	}
}

// explainIfOutcomeUnknown says of a failed create what becomes of it, if it may have taken effect.
func (r *runner) explainIfOutcomeUnknown(t *changeTask, err error) error {
	if t.unresolvedAttempts == 0 {
		return err
	}
	return &wire.ExplainedError{
		Summary: "It is not known whether the " + t.Kind.Name + " was made",
		Detail: fmt.Sprintf("B2 did not say what became of the creation of %s %q, and does not list it yet. The state keeps note of it: "+
			"run again in some minutes, and what has appeared is dealt with; no import is needed.", t.Kind.Name, t.Identity),
		Cause: err,
	}
}

// findCreated reads the objects that the task's creates have made, with growing pauses as
// long as there are none. An interrupt ends the pauses.
func (r *runner) findCreated(ctx context.Context, t *changeTask) (found []*kind.Object, err error) {
	err = r.lookUntil(ctx, func() (shown bool, err error) {
		found, err = r.listNewByIdentity(ctx, t, t.idsBeforeCreate)
		return len(found) > 0, err
	})
	return found, err
}

// lookUntil looks, with growing pauses, until what may be listed late is shown, or patience ends. An interrupt ends the
// pauses, with an error.
func (r *runner) lookUntil(ctx context.Context, look func() (shown bool, err error)) error {
	shown, err := look()
	for _, pause := range wire.ListingDelays() {
		if err != nil || shown {
			break
		}
		if err := r.sleepUnlessInterrupted(ctx, pause); err != nil {
			return err
		}
		shown, err = look()
	}
	return err
}

// sleepUnlessInterrupted sleeps until d is over or the run is interrupted, which is an error.
func (r *runner) sleepUnlessInterrupted(ctx context.Context, d time.Duration) error {
	pausing, cancel := r.untilInterrupted(ctx)
	defer cancel()
	return r.sleep(pausing, d)
}

// deleteOwnObject deletes what this run made.
func (r *runner) deleteOwnObject(ctx context.Context, k *kind.Kind, o *kind.Object) error {
	live, err := o.JSONMembers()
	if err != nil {
		return err
	}
	return k.Delete(ctx, kind.VerbInput{API: r.API, ID: o.ID, Live: live, Sleep: r.sleepUnlessInterrupted})
}

// listNewByIdentity reads the objects that carry the task's identity now and are not known. It lists
// no more than the snapshot was read from: what only another listing shows may have been there before.
func (r *runner) listNewByIdentity(ctx context.Context, t *changeTask, known []string) ([]*kind.Object, error) {
	c, only := t.Change, t.Identity
	if whole := c.Kind.ParentKind(); whole != "" {
		only = c.Kind.ChildID(c.Identity, r.findFirstLiveID(whole, c.Kind.ParentIdentity(c.Identity)))
	}
	list, err := c.Kind.List(ctx, r.API, kind.ListFilter{Account: r.Snapshot.Account, WantedChildIDs: []string{only},
		IncludeMultiBucketKeys: config.NeedsMultiBucket(c.Kind, c.After)})
	if err != nil {
		return nil, err
	}
	var found []*kind.Object
	seen := map[string]bool{}
	for _, raw := range list {
		o, err := r.Snapshot.NewObject(c.Kind, raw)
		if err != nil {
			return nil, err
		}
		expired, _ := r.Snapshot.FindExpired(c.Kind, o.ID)
		if expired == nil && o.Identity == c.Kind.NormalizeIdentity(c.Identity) && !slices.Contains(known, o.ID) && !seen[o.ID] {
			seen[o.ID] = true
			found = append(found, o)
		}
	}
	return found, nil
}
