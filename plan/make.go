package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// Make plans. The plan is nil when the diagnostics, which are all errors, are
// not empty: half a plan is not something to approve.
//
// Everything that may be taken, changed or deleted is either recorded in the
// state, announced by an interrupted run, or shown as an import.
func Make(r Request) (*Plan, hcl.Diagnostics) {
	p := newPlanner(r)
	if p.checkRequest() {
		p.planChanges()
		p.keepOnlyRotationsIfAsked()
		p.setMovedFromAndSort()
		p.keepSelectedChanges()
		p.checkReferencedNotDestroyed()
		p.forceOrCheckChildDeletes()
		p.warnDataOfDestroyed()
		p.addBrokenLinkHazards()
		p.clearDigestsBeforeChanges()
		p.addProtectionChanges()
		p.makeSteps()
		p.judgeModulesAndPlanOutputs()
		p.computeBasisAndSaved()
	}
	if p.diags.HasErrors() {
		return nil, p.diags
	}
	return &p.plan, nil
}

// planChanges plans what is declared, then the end of what is owned and no longer
// wanted.
func (p *planner) planChanges() {
	if p.RefreshOnly {
		p.planRefresh()
		return
	}
	p.claimAllRecovered()
	declared := p.declaredInDeliveryOrder()
	if p.ImportOnly != nil {
		if r := p.declaration(*p.ImportOnly); r != nil {
			p.tagErrors(r.Addr, func() { p.planResource(r) })
		}
		p.leaveAnnouncedOut(*p.ImportOnly)
		return
	}
	if !p.Destroy {
		for _, r := range declared {
			if p.linkPlanner.hasLinks(r) {
				p.linkPlanner.resourcesWithLinks = append(p.linkPlanner.resourcesWithLinks, r)
			}
		}
		for _, r := range declared {
			if len(p.linkPlanner.resourcesWithLinks) == 0 || !p.linkPlanner.hasLinks(r) {
				p.tagErrors(r.Addr, func() { p.planResource(r) })
			}
		}
		for _, r := range p.linkPlanner.resourcesWithLinks {
			p.tagErrors(r.Addr, func() { p.planResource(r) })
		}
	}
	for _, addr := range p.recordedOrAnnouncedAddrs {
		if p.Destroy || p.declaration(*addr) == nil {
			p.tagErrors(*addr, func() { p.planDeleteOrForget(*addr) })
		}
	}
	if !p.Destroy && !p.RotationsOnly {
		p.checkPostconditions()
	}
}

// A planner is one run of Make.
type planner struct {
	Request
	declared                   []*config.Resource // sorted by address
	recordedOrAnnouncedAddrs   []*addr.Addr       // what the state or the journal knows; sorted
	kinds                      map[string]*kind.Kind
	declaredLookup             addrLookup // in declared
	deliveredIDs               idsHeldByDeliveries
	entryLookup                addrLookup // in Entries, which are sorted by address
	announced                  map[addr.Addr][]AnnouncedCreate
	imports                    map[addr.Addr]*config.Import
	replace                    map[addr.Addr]bool
	rotate                     map[addr.Addr]bool
	rotationChanges            map[addr.Addr]bool // changes that rotation asks for
	movedFrom                  map[addr.Addr]addr.Addr
	unseen                     []addr.Addr // recorded objects that the credentials may not see
	importedBy                 map[objectID]addr.Addr
	recoveredBy                map[objectID]addr.Addr // see claimRecovered
	reportedUnmatchedNamesakes map[identityKey]bool   // reported; see reportUnmatchedNamesakes

	ownerByObject         map[objectID]*addr.Addr        // see ownerAddr
	declaredIdentityIndex config.IdentityIndex           // of what is declared; see declaredAddr
	timestampedByBaseName map[identityKey][]*kind.Object // live, by declared name; see siblings

	differByKind      map[string]*differ          // by kind
	changeAt          map[addr.Addr]*Change       // see changeOf
	nullObjectsByKind map[*kind.Kind][2]cty.Value // see nullObjects
	digester          *digester

	linkPlanner *linkPlanner

	plan  Plan
	diags hcl.Diagnostics
}

// An objectID is a remote ID that the state records. Objects of two kinds may share
// one: a bucket and its notification rules.
type objectID struct{ kindName, id string }

func objectIDOf(o *kind.Object) objectID { return objectID{o.Kind.Name, o.ID} }

func newPlanner(r Request) *planner {
	p := &planner{
		Request:                    r,
		declared:                   slices.Clone(r.Config.Resources),
		recordedOrAnnouncedAddrs:   make([]*addr.Addr, 0, len(r.Entries)),
		kinds:                      make(map[string]*kind.Kind, len(r.Kinds)),
		announced:                  map[addr.Addr][]AnnouncedCreate{},
		imports:                    map[addr.Addr]*config.Import{},
		replace:                    map[addr.Addr]bool{},
		rotate:                     map[addr.Addr]bool{},
		rotationChanges:            map[addr.Addr]bool{},
		movedFrom:                  map[addr.Addr]addr.Addr{},
		importedBy:                 map[objectID]addr.Addr{},
		recoveredBy:                map[objectID]addr.Addr{},
		digester:                   newDigester(r.Applied.Salt),
		reportedUnmatchedNamesakes: map[identityKey]bool{},
		differByKind:               map[string]*differ{},
		deliveredIDs:               idsHeldByDeliveries{},
	}
	p.linkPlanner = newLinkPlanner(p)
	slices.SortFunc(p.declared, func(a, b *config.Resource) int { return a.Addr.Compare(b.Addr) })
	p.declaredLookup = addrLookup{length: len(p.declared), addrAt: func(i int) *addr.Addr { return &p.declared[i].Addr }}
	p.applyMoves()
	p.entryLookup = addrLookup{length: len(p.Entries), addrAt: func(i int) *addr.Addr { return &p.Entries[i].Addr }}
	for _, k := range r.Kinds {
		p.kinds[k.Name] = k
	}
	for i := range p.Entries {
		p.recordedOrAnnouncedAddrs = append(p.recordedOrAnnouncedAddrs, &p.Entries[i].Addr)
	}
	for _, a := range r.Announced {
		if now := p.addrAfterRelabel(a); now != a.Addr {
			p.plan.MovedIntents = append(p.plan.MovedIntents, EntryMove{From: a.Addr, To: now})
			a.Addr = now
		}
		p.announced[a.Addr] = append(p.announced[a.Addr], a)
		p.recordedOrAnnouncedAddrs = append(p.recordedOrAnnouncedAddrs, &a.Addr)
	}
	for i := range r.Config.Imports {
		p.imports[r.Config.Imports[i].To] = &r.Config.Imports[i]
	}
	for _, a := range r.Replace {
		for _, named := range p.replacementTargets(a) {
			p.replace[named.Addr] = true
		}
	}
	for _, a := range r.Rotate {
		for _, named := range p.replacementTargets(a) {
			if _, ok := named.Kind.RotationOf(named.Value); ok {
				p.rotate[named.Addr] = true
			}
		}
	}
	slices.SortFunc(p.recordedOrAnnouncedAddrs, func(a, b *addr.Addr) int { return a.Compare(*b) })
	p.recordedOrAnnouncedAddrs = slices.CompactFunc(p.recordedOrAnnouncedAddrs, func(a, b *addr.Addr) bool { return *a == *b })
	return p
}

// addrAfterRelabel is the address that an announced create counts for: its own, unless the
// block got another label since, which its name gives away.
func (p *planner) addrAfterRelabel(a AnnouncedCreate) addr.Addr {
	k := p.kinds[a.Addr.Kind]
	if p.declaration(a.Addr) != nil || p.entry(a.Addr) != nil || k == nil {
		return a.Addr
	}
	if k.NamesRepeat && p.Config.FindRemoval(a.Addr) != nil {
		return a.Addr // that says what becomes of it
	}
	if now, ok := p.declaredAddr(k, k.NormalizeIdentity(a.Identity)); ok {
		return now
	}
	if name, _, ok := kind.ParseTimestampedName(a.Identity); ok && k.Credential != nil {
		if now, ok := p.declaredAddr(k, k.NormalizeIdentity(name)); ok {
			return now
		}
	}
	return a.Addr
}

// planResource plans one declared resource.
func (p *planner) planResource(r *config.Resource) {
	h := p.matchAddr(r.Addr, r.Kind)
	if h.object == nil && !p.findImportable(r, &h) {
		return
	}
	if !p.importUnknownSiblings(r, &h) {
		return
	}
	p.matchRecoveredRename(r, &h)
	if !p.claimImportedObjects(r, &h) {
		return
	}
	if h.object == nil {
		p.planCreate(r, h)
		return
	}
	p.planExisting(r, h)
}

// planCreate plans an object that is not there.
func (p *planner) planCreate(r *config.Resource, h match) {
	p.deliveredIDs.setIfDelivered(r.Addr, "")
	c := Change{
		Addr:           r.Addr,
		Kind:           r.Kind,
		Action:         Create,
		Identity:       r.Identity(),
		Before:         cty.NullVal(r.Kind.LiveType()),
		After:          r.Value.ObjectWithoutUnset(),
		Sensitive:      h.sensitiveAttrs(r),
		FurtherDeletes: p.namedObjects(r.Kind, h.furtherDeleteIDs()),
		Retiring:       h.keptRetirees,
	}
	rotation, rotates := r.Kind.RotationOf(r.Value)
	if h.entry != nil {
		c.Reason, c.LiveDrift = p.goneReason(r.Kind, h.entry), p.driftOfAbsent(r.Kind, h.entry)
		p.rotationChanges[r.Addr] = rotates
	}
	if h.entry != nil && rotates {
		p.plan.RotatingObjects = append(p.plan.RotatingObjects, RotatingObject{Addr: r.Addr, LiveName: h.entry.Identity,
			RemoteID: h.entry.ID, MadeAt: h.entry.Created, Due: p.Now, UnscheduledReason: c.Reason, Retiring: h.allRetirees()})
	}
	if rotates {
		kept, others := h.splitKeptUntilRenewal()
		c.Overlapping, c.Retiring = p.namedObjects(r.Kind, kept), others
		c.Overlap = rotation.Overlap
	}
	p.completeAndAddChange(r, h, c, c.Before)
}

// planExisting plans what becomes of an object that is there.
func (p *planner) planExisting(r *config.Resource, h match) {
	raw, err := h.object.Values()
	if err != nil {
		p.reportUnreadableReply(r.Block.HeaderRange.Ptr(), err)
		return
	}
	live := p.linkPlanner.comparableLive(r, raw)
	fields, hidden := p.differFor(r.Kind).diff(r.Value, live, h.entryIfSameObject(), r.IgnoreChanges)
	p.warnUnreadableAttrs(r, hidden)
	p.warnLiveProblems(r, live)
	action, reason := p.decideAction(r, h, live, fields)
	if p.ImportOnly != nil && h.toBeImported {
		p.warnImportLeavesDifferences(r, fields)
		action, reason, fields = NoOp, "", nil
	}
	if action.MakesObject() {
		p.deliveredIDs.setIfDelivered(r.Addr, "")
	} else {
		p.deliveredIDs.setIfDelivered(r.Addr, h.object.ID)
	}
	judged, follows := p.linkPlanner.noteLinks(r, h, action, raw, fields)
	reason = cmp.Or(reason, follows)
	if action == Update {
		p.warnLostMembers(r, h.object, fields)
	}
	p.noteKept(r, &h, action, live)
	p.warnUnknownSecret(r, h, action)
	p.warnExpiry(r, h, action, live)
	if h.toBeImported && !h.isSiblingOfGoneRecorded || action == NoOp || action == Update {
		p.planRecord(r, h, action, live)
	}
	_, moved := p.movedFrom[r.Addr]
	if action == NoOp && !h.toBeImported && !moved && len(h.importedSiblingIDs) == 0 && len(h.furtherDeleteIDs()) == 0 {
		return
	}
	c := Change{
		Addr:             r.Addr,
		Kind:             r.Kind,
		Action:           action,
		Import:           h.toBeImported,
		ImportedSiblings: p.namedObjects(r.Kind, h.importedSiblingIDs),
		Identity:         r.Identity(),
		RemoteID:         h.object.ID,
		LiveName:         h.object.Identity,
		Before:           live.ObjectWithoutUnset(),
		After:            plannedValue(r, live),
		Fields:           fields,
		Sensitive:        h.sensitiveAttrs(r),
		Reason:           reason,
		FurtherDeletes:   p.namedObjects(r.Kind, h.furtherDeleteIDs()),
		Retiring:         h.keptRetirees,
	}
	switch {
	case h.toBeImported && h.entry != nil:
		c.LiveDrift = p.driftOfAbsent(r.Kind, h.entry)
	case len(fields) > 0:
		c.LiveDrift, c.ConfigDrift = p.drift(r, h)
	}
	if action.MakesObject() {
		c.After, c.Fields = r.Value.ObjectWithoutUnset(), p.differFor(r.Kind).diffMadeAnew(r.Value, live, h.entryIfSameObject())
		c.IgnoredFieldsMadeAnew = slices.DeleteFunc(slices.Clone(c.Fields), func(f string) bool { return slices.Contains(fields, f) })
	}
	switch action {
	case Rotate:
		p.planOverlap(r, h, &c)
	case Replace:
		p.planNoOverlap(r, h, &c)
	}
	c.ForceDestroy = (action == Replace || len(c.FurtherDeletes) > 0) && ForceDestroys(r.Kind, c.After)
	c.MaybeForeignDeletes, c.MaybeForeignReplaced = p.maybeForeignDeletes(&h, &c), p.maybeForeignReplaced(r, &c)
	c.Hazards = deleteHazards(r, &h, &c)
	if action == NoOp && len(h.overdueRetirees) > 0 {
		c.Reason = h.overdueRetireeReason(r.Kind)
		p.rotationChanges[r.Addr] = true
	}
	p.completeAndAddChange(r, h, c, judged.ObjectWithoutUnset())
}

// warnImportLeavesDifferences says what a later apply would change of an object that is only imported.
func (p *planner) warnImportLeavesDifferences(r *config.Resource, fields []string) {
	if len(fields) > 0 {
		p.warnf(&r.Block.HeaderRange, "The configuration differs from what is live",
			"%s is imported as it is. The next apply would change %s, unless the block is corrected before; \"b2form plan\" shows it.",
			r.Addr, words.JoinAnd(fields))
	}
}

// decideAction decides what becomes of a live object, and why.
func (p *planner) decideAction(r *config.Resource, h match, live kind.Values, fields []string) (action Action, reason string) {
	if r.Kind.Update == nil {
		reason := p.replaceReasonBeyondFields(r, h, fields)
		if rotation, ok := r.Kind.RotationOf(r.Value); ok && !p.replace[r.Addr] {
			return p.decideAndNoteRotation(r, h, rotation, reason, live, fields)
		}
		if reason == "" && len(fields) == 0 {
			return NoOp, h.mismatchReason
		}
		return Replace, reason
	}
	if p.replace[r.Addr] && r.Kind.Replaceable {
		p.errorf(&r.Block.HeaderRange, "Nothing to replace",
			"%s is written anew as soon as something differs from what is declared, and replaced when its name does. There is nothing "+
				"else to replace.", r.Addr)
		return NoOp, ""
	}
	if p.replace[r.Addr] {
		p.errorf(&r.Block.HeaderRange, "Refusing to replace "+r.Addr.String(),
			"Replacing a %s is never automatic, because everything it holds would be deleted. "+
				"Declare a new %s in a block of its own, copy what you need, and then remove this block.", r.Kind.Name, r.Kind.Name)
		return NoOp, ""
	}
	for _, f := range fields {
		if !r.Kind.FindAttr(f).Immutable && !r.Kind.IsIdentityAttr(f) {
			continue
		}
		if r.Kind.Replaceable && p.checkNameFreeAndAllowed(r) {
			return Replace, h.mismatchReason
		}
		if !r.Kind.Replaceable {
			p.reportImmutable(r, h, f, live)
		}
		return NoOp, ""
	}
	if len(fields) == 0 {
		return NoOp, h.mismatchReason
	}
	return Update, h.mismatchReason
}

// reportImmutable reports a change that only another object could have.
func (p *planner) reportImmutable(r *config.Resource, h match, attr string, live kind.Values) {
	rng := r.Block.RangeOf(attr)
	if h.toBeImported && r.Kind.IsIdentityAttr(attr) {
		has, wants := kind.FormatValue(live.GetAttr(attr)), kind.FormatValue(r.Value.GetAttr(attr))
		p.errorf(&rng, fmt.Sprintf("The import names another %s than the block", r.Kind.Name),
			"%s is to be imported from what has the %[2]s %[3]s in B2, but its block declares the %[2]s %[4]s, and a %[5]s keeps "+
				"its %[2]s. Write %[2]s = %[3]s in the block, or import what has the %[2]s %[4]s.", r.Addr, attr, has, wants, r.Kind.Name)
		return
	}
	p.errorf(&rng, fmt.Sprintf("The %s of a %s cannot change", attr, r.Kind.Name),
		"%s has %s %s in B2, the configuration says %s. Replacing a %s is never automatic, because everything it holds "+
			"would be deleted. Put the old value back; or declare the new %s in a block of its own, copy what you need, "+
			"and then remove the old block.%s",
		r.Addr, attr, kind.FormatValue(live.GetAttr(attr)), kind.FormatValue(r.Value.GetAttr(attr)), r.Kind.Name, r.Kind.Name,
		p.stateMvAdvice(r, h))
}

// stateMvAdvice says how the state follows an object that is declared at another address now; "": it is declared at none.
func (p *planner) stateMvAdvice(r *config.Resource, h match) string {
	for _, now := range p.declaredIdentities().AllWithIdentity(r.Kind.Name, h.object.Identity) {
		if now.Addr != r.Addr {
			return fmt.Sprintf(" Where only its address has changed, as after an element was put into the middle of a list that count "+
				"goes over, run b2form state mv '%s' '%s', of several the last one first; instances of for_each keep their addresses.",
				r.Addr, now.Addr)
		}
	}
	return ""
}

// addChange makes room by doubling: appending alone copies a long list of changes five times.
func (p *planner) addChange(c Change) {
	if n := len(p.plan.Changes); n == cap(p.plan.Changes) {
		p.plan.Changes = slices.Grow(p.plan.Changes, max(n, 8))
	}
	p.plan.Changes = append(p.plan.Changes, c)
}

// nullObjects is what stands for a live object and for a configuration where there is none.
func (p *planner) nullObjects(k *kind.Kind) (live, settable cty.Value) {
	nulls, known := p.nullObjectsByKind[k]
	if !known {
		if p.nullObjectsByKind == nil {
			p.nullObjectsByKind = map[*kind.Kind][2]cty.Value{}
		}
		nulls = [2]cty.Value{cty.NullVal(k.LiveType()), cty.NullVal(k.ConfigType())}
		p.nullObjectsByKind[k] = nulls
	}
	return nulls[0], nulls[1]
}

// completeAndAddChange completes a change of a declared resource: everything that depends
// on the change as a whole.
// before is the live object as hazards see it: null where there is none.
func (p *planner) completeAndAddChange(r *config.Resource, h match, c Change, before cty.Value) {
	p.guardChange(r, h, &c)
	c.Hazards = sortUniqueHazards(append(c.Hazards, slices.DeleteFunc(changeHazards(&c, before), p.isHarmless)...))
	if r.Kind.YieldsSecret() && c.Action.MakesObject() {
		p.planDelivery(r, &c)
	}
	p.addChange(c)
}

func (p *planner) setMovedFromAndSort() {
	for i := range p.plan.Changes {
		p.plan.Changes[i].MovedFrom = p.movedFrom[p.plan.Changes[i].Addr]
	}
	slices.SortFunc(p.plan.Changes, func(a, b Change) int { return a.Addr.Compare(b.Addr) })
	slices.SortFunc(p.plan.MovedIntents, func(a, b EntryMove) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	slices.SortFunc(p.plan.Records, func(a, b addr.StateEntry) int { return a.Addr.Compare(b.Addr) })
	slices.SortFunc(p.plan.Undelivered, addr.Addr.Compare)
	slices.SortFunc(p.plan.RotatingObjects, func(a, b RotatingObject) int { return a.Addr.Compare(b.Addr) })
	slices.SortFunc(p.plan.LeftOut, addr.Addr.Compare)
}

// goneReason says of a recorded object that is not there what became of it.
func (p *planner) goneReason(k *kind.Kind, e *addr.StateEntry) string {
	if at, declared := p.expiredAt(k, e); !at.IsZero() {
		source := ""
		if declared {
			source = ", as its block says"
		}
		return fmt.Sprintf("%s %q expired on %s%s", k.Name, e.Identity, words.ReadableTime(at), source)
	}
	return fmt.Sprintf("%s %q no longer exists in B2", k.Name, e.Identity)
}

// expiredAt is when a recorded object that is not there ended by itself: by B2's word or else, as declared says, by
// its configuration; zero: neither tells.
func (p *planner) expiredAt(k *kind.Kind, e *addr.StateEntry) (atOrZero time.Time, fromConfig bool) {
	if o, at := p.Snapshot.FindExpired(k, e.ID); o != nil {
		return at, false
	}
	r := p.declaration(e.Addr)
	if r == nil || k.Credential == nil || e.Created.IsZero() {
		return time.Time{}, false
	}
	if at := e.Created.Add(k.Credential.Life(r.Value)); at.After(e.Created) && !at.After(p.Now) {
		return at, true
	}
	return time.Time{}, false
}
