package plan

import (
	"fmt"
	"slices"
	"time"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// classifyRetiree sorts an object that was replaced: its time is over, or it lives on.
// The key that this run works with outlives its time, with a warning: whoever
// runs b2form has not been given the new one.
func (p *planner) classifyRetiree(h *match, old addr.RetiringObject) {
	switch inUse := p.Snapshot.Account.KeyID == old.ID; {
	case old.KeptUntilRenewal, old.KeepUntil.After(p.Now):
		h.keptRetirees = addr.SortRetiring(append(h.keptRetirees, old))
	case inUse && !old.KeepUntil.IsZero():
		h.keptRetirees = addr.SortRetiring(append(h.keptRetirees, old))
		p.warnf(nil, "The key in use outlives its rotation",
			"This run works with the application key %s, which was to be deleted on %s and stays for now. "+
				"Run b2form with the key that took its place.", old.ID, words.ReadableTime(old.KeepUntil))
	default:
		h.overdueRetirees = append(h.overdueRetirees, old)
	}
}

// liveSiblings are the live objects that may be the resource's: those under its
// identity and, where it rotates, under its identity with a stamp. Oldest first:
// without a stamp, by stamp, by ID.
func (p *planner) liveSiblings(r *config.Resource) []*kind.Object {
	plain := p.Snapshot.ByIdentity(r.Kind, r.Identity())
	if _, ok := r.Kind.RotationOf(r.Value); !ok {
		return plain
	}
	if p.timestampedByBaseName == nil {
		p.indexTimestamped()
	}
	return slices.Concat(plain, p.timestampedByBaseName[identityKey{r.Kind.Name, r.Identity()}])
}

func (p *planner) indexTimestamped() {
	p.timestampedByBaseName = map[identityKey][]*kind.Object{}
	for _, k := range p.Kinds {
		if k.Credential == nil {
			continue
		}
		for _, o := range p.Snapshot.AllRead(k) { // in the order of their IDs
			if name, _, ok := kind.ParseTimestampedName(o.Identity); ok {
				of := identityKey{k.Name, name}
				p.timestampedByBaseName[of] = append(p.timestampedByBaseName[of], o)
			}
		}
	}
	for _, list := range p.timestampedByBaseName {
		slices.SortStableFunc(list, func(a, b *kind.Object) int { return nameTimestamp(a).Compare(nameTimestamp(b)) })
	}
}

// nameTimestamp is the time that the object's name carries; zero: none.
func nameTimestamp(o *kind.Object) (atOrZero time.Time) {
	_, at, _ := kind.ParseTimestampedName(o.Identity)
	return at
}

// newestTimestamped picks from the candidates of a rotating resource the one that is
// current; nil where that cannot be said from their names.
func (p *planner) newestTimestamped(r *config.Resource, found []*kind.Object) *kind.Object {
	if _, ok := r.Kind.RotationOf(r.Value); !ok || len(found) == 0 {
		return nil
	}
	if last := found[len(found)-1]; !nameTimestamp(last).IsZero() {
		return last
	}
	return nil
}

// splitKeptUntilRenewal are the IDs of what lives on until the object is renewed, which happens
// now.
func (h *match) splitKeptUntilRenewal() (ids []string, others []addr.RetiringObject) {
	for _, old := range h.keptRetirees {
		if old.KeptUntilRenewal {
			ids = append(ids, old.ID)
		} else {
			others = append(others, old)
		}
	}
	return ids, others
}

// decideAndNoteRotation decides what becomes of an object that rotates. Whatever the reason,
// its users are given the overlap.
func (p *planner) decideAndNoteRotation(r *config.Resource, h match, rotation kind.Rotation, reason string, live kind.Values,
	fields []string) (action Action, shownReason string) {
	due, why := p.rotationDue(r, h, rotation, live)
	unscheduled := ""
	switch {
	case reason == "":
		reason = why
	case !p.rotate[r.Addr] && !h.toBeImported && len(h.importedSiblingIDs) == 0: // not asked for, and not left to an import
		due, unscheduled = p.Now, reason
	}
	isImported := func(old addr.RetiringObject) bool { return slices.Contains(h.importedSiblingIDs, old.ID) }
	p.plan.RotatingObjects = append(p.plan.RotatingObjects, RotatingObject{
		Addr: r.Addr, LiveName: h.object.Identity, RemoteID: h.object.ID, MadeAt: h.madeAtIfTimestamped(), Due: due,
		UnscheduledReason: unscheduled, Retiring: slices.DeleteFunc(h.allRetirees(), isImported),
	})
	p.rotationChanges[r.Addr] = reason != ""
	switch {
	case reason == "" && len(fields) == 0:
		return NoOp, h.mismatchReason
	case rotation.Overlap == 0:
		return Replace, reason
	}
	return Rotate, reason
}

// rotationDue says when the object is to be renewed and, once that is now, why.
func (p *planner) rotationDue(r *config.Resource, h match, rotation kind.Rotation, live kind.Values) (due time.Time, why string) {
	made := h.madeAtIfTimestamped()
	if made.IsZero() {
		return p.Now, "it rotates from now on, and its name does not tell its age"
	}
	if made.After(p.Now.Add(time.Hour)) {
		p.warnf(r.Block.HeaderRange.Ptr(), "A clock is wrong",
			"%s was made on %s, which is in the future: B2's clock shows %s. It is renewed as if that were right; "+
				"`b2form rotate '%s'` renews it now.", r.Addr, words.ReadableTime(made), words.ReadableTime(p.Now), r.Addr)
	}
	expires := r.Kind.ExpiryOf(live)
	due = rotation.Due(made, expires)
	switch {
	case due.IsZero() || p.Now.Before(due):
		return due, ""
	case due.Equal(expires.Add(-rotation.RenewBefore)):
		return due, "it expires on " + words.ReadableTime(expires)
	}
	return due, "it was due on " + words.ReadableTime(due)
}

// ExpiryNoticePeriod is how long before its end an object that nothing renews is mentioned; of one that
// lives no longer than that, it is a tenth of its life.
const ExpiryNoticePeriod = 14 * 24 * time.Hour

// warnExpiry warns of what stays as it is, and ends before long.
func (p *planner) warnExpiry(r *config.Resource, h match, action Action, live kind.Values) {
	expires := r.Kind.ExpiryOf(live)
	if _, rotates := r.Kind.RotationOf(r.Value); rotates || expires.IsZero() || action != NoOp && action != Update {
		return
	}
	made, ahead := r.Kind.Credential.CreatedAt(r.Value, live), ExpiryNoticePeriod
	if e := h.entryIfSameObject(); made.IsZero() && e != nil {
		made = e.Created
	}
	if life := expires.Sub(made); !made.IsZero() && life < ExpiryNoticePeriod {
		ahead = life / 10
	}
	endless := ""
	if r.Kind.Credential.Life(r.Value) == 0 {
		endless = " Its block does not say how long it lives, so a new one would have no end."
	}
	switch left := expires.Sub(p.Now); {
	case left <= ahead:
		p.warnf(r.Block.HeaderRange.Ptr(), words.CapitalizeUnlessName(r.Kind.Name)+" expires soon",
			"%s ends on %s, in %s, and nothing renews it before that. Give it a rotate block, or have a new one made with "+
				"`b2form apply -replace='%s'`.%s", r.Addr, words.ReadableTime(expires), words.ApproximateDuration(left), r.Addr, endless)
	case h.toBeImported && endless != "":
		p.warnf(r.Block.HeaderRange.Ptr(), words.CapitalizeUnlessName(r.Kind.Name)+" has an end",
			"%s ends on %s, and is made anew after that.%s",
			r.Addr, words.ReadableTime(expires), endless)
	}
}

// madeAtIfTimestamped is when the object was made: as recorded, else as its name says; zero:
// neither tells. A name without a stamp is of the time before rotation.
func (h *match) madeAtIfTimestamped() (madeOrZero time.Time) {
	at := nameTimestamp(h.object)
	if recorded := h.entry != nil && h.entry.ID == h.object.ID && !h.entry.Created.IsZero(); recorded && !at.IsZero() {
		return h.entry.Created
	}
	return at
}

// planOverlap lets everything live on that somebody may have been given. What an
// interrupted run made and did not record is not among it: its secret is lost.
func (p *planner) planOverlap(r *config.Resource, h match, c *Change) {
	rotation, _ := r.Kind.RotationOf(r.Value)
	c.Overlap = rotation.Overlap
	overlapping, others := h.splitKeptUntilRenewal()
	leftovers := h.furtherDeleteIDs()
	if h.isObjectRecovered() {
		leftovers = append(leftovers, c.RemoteID)
	} else {
		overlapping = append(overlapping, c.RemoteID)
	}
	c.Overlapping, c.FurtherDeletes, c.Retiring = p.namedObjects(r.Kind, overlapping), p.namedObjects(r.Kind, leftovers), others
}

// planNoOverlap deletes everything of a rotation that comes before the new object.
// What was promised a longer life keeps it, unless the replacement was asked
// for: a secret may have leaked.
func (p *planner) planNoOverlap(r *config.Resource, h match, c *Change) {
	kept, others := h.splitKeptUntilRenewal()
	leftovers := slices.Concat(h.furtherDeleteIDs(), kept)
	c.Retiring = others
	if p.replace[r.Addr] {
		for _, old := range others {
			leftovers = append(leftovers, old.ID)
		}
		c.Retiring = nil
	}
	c.FurtherDeletes = p.namedObjects(r.Kind, leftovers)
}

// overdueRetireeReason says why replaced objects are deleted now and not earlier.
func (h *match) overdueRetireeReason(k *kind.Kind) string {
	var last time.Time
	for _, old := range h.overdueRetirees {
		if old.KeepUntil.After(last) {
			last = old.KeepUntil
		}
	}
	if last.IsZero() {
		return "an earlier replacement did not get to deleting the old " + k.Name
	}
	return fmt.Sprintf("the overlap with the old %s ended on %s", k.Name, words.ReadableTime(last))
}

// keepOnlyRotationsIfAsked leaves out what rotation does not ask for, where nothing else is wanted.
func (p *planner) keepOnlyRotationsIfAsked() {
	if !p.RotationsOnly {
		return
	}
	renewed := map[addr.Addr]bool{}
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		renewed[c.Addr] = p.isSelectedRotationChange(c)
		p.checkNamedIsRenewed(c, renewed[c.Addr])
	}
	p.keepChanges(func(i int) bool {
		c := &p.plan.Changes[i]
		return renewed[c.Addr] || slices.ContainsFunc(p.linkPlanner.soleUpdateCauses[c.Addr],
			func(addr addr.Addr) bool { return renewed[addr] })
	})
	p.leaveOutUnplannedRecords(p.isRotationRecord)
}

// isRotationRecord reports whether a record says something new of the predecessors of what rotates. Where it says more than
// that, as that the object is protected no more, it is left to the whole plan.
func (p *planner) isRotationRecord(e *addr.StateEntry) bool {
	was, r := p.entry(e.Addr), p.declaration(e.Addr)
	if was == nil || r == nil {
		return false
	}
	_, rotates := r.Kind.RotationOf(r.Value)
	return rotates && e.PreventDestroy == was.PreventDestroy && !slices.EqualFunc(e.Retiring, was.Retiring, equalRetirees)
}

// checkNamedIsRenewed refuses to pass over a key that is to be renewed by name, and is not ours yet.
func (p *planner) checkNamedIsRenewed(c *Change, renewed bool) {
	if !p.rotate[c.Addr] || renewed {
		return
	}
	at := p.declaration(c.Addr).Block.HeaderRange.Ptr()
	switch unknown := c.Imports(); {
	case c.Import:
		p.errorf(at, "Nothing to rotate", "%s exists, as %s %q, and the state does not know it, so it cannot be renewed yet. "+
			"Take it over with `b2form apply`, which shows the import first; then run this command again.", c.Addr, c.Kind.Name, c.LiveName)
		return
	case len(unknown) > 0:
		p.errorf(at, "Nothing to rotate", "%s is called as if %s had made it, and the state does not know it. `b2form apply` takes it "+
			"over, and shows that first; then run this command again. If it is not of %[2]s, delete it, or give one of them another name.",
			unknown[0], c.Addr)
		return
	}
	p.errorf(at, "Nothing to rotate", "%s is not in the state, and there is no %s of its name: it was not made yet. "+
		"Make it with `b2form apply`.", c.Addr, c.Kind.Name)
}

// isSelectedRotationChange reports whether rotation asks for a change, of what is asked about.
func (p *planner) isSelectedRotationChange(c *Change) bool {
	return p.rotationChanges[c.Addr] && len(c.Imports()) == 0 && (len(p.Rotate) == 0 || p.rotate[c.Addr])
}
