package laws_test

import (
	"testing"

	"pgregory.net/rapid"

	"b2form/internal/emulator"
	"b2form/plan"
	"b2form/schema/addr"
)

// stateSalt is that of the digests in every state.
const stateSalt = "laws"

// outdated lists the entries whose digests are not those of what is live and declared.
func (a *attempt) outdated(entries []addr.StateEntry, m mode) []addr.StateEntry {
	r := plan.DigestRenewal{Salt: stateSalt, Config: a.config, Snapshot: a.snapshot, Entries: entries}
	if m.destroy {
		return nil
	}
	return r.RenewedEntries()
}

// checkClaims demands that no plan takes what b2form did, or was about to do, for somebody else's doing.
func (w *world) checkClaims(p *plan.Plan) {
	w.Helper()
	for i := range p.Changes {
		if c := &p.Changes[i]; w.alone && (c.LiveDrift == plan.Changed || c.LiveDrift == plan.Gone) {
			w.Errorf("%s was not changed outside of b2form: %s, %s", c.Addr, c.Action, c.LiveDrift)
		}
	}
}

// After an apply the state has the digests of all that is declared, as far as it is live, and a
// refresh has nothing to tell it.
func TestDigestsAreOfWhatIsLive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, emulator.Options{})
		defer w.close()
		w.alone = true
		for range rapid.IntRange(1, 3).Draw(t, "configurations") {
			w.configure(drawConfig(t, w.kinds)...)
			if _, _, err := w.apply(mode{}); err != nil {
				continue
			}
			st := w.stored()
			a, err := w.planFrom(st, mode{})
			w.must(err)
			for _, e := range a.outdated(st.Entries, mode{}) {
				w.Errorf("the digests of %s are outdated", e.Addr)
			}
			made, diags := plan.Make(plan.Request{Config: a.config, Kinds: w.kinds, Snapshot: a.snapshot, Entries: st.Entries, Now: a.began,
				RefreshOnly: true, Applied: plan.LastApply{Salt: stateSalt}})
			if diags.HasErrors() || !made.HasNoResourceChanges() {
				w.Errorf("a refresh after an apply: %v, %+v", diags, made)
			}
		}
	})
}
