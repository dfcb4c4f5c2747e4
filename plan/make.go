package plan

import (
	"cmp"
	"fmt"
	"slices"

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
	if p.guardRequest() {
		p.planChanges()
		p.keepOnlyRotations()
		p.sortPlan()
		p.keepTargets()
		p.checkParentsEmptied()
		p.addOrphanHazards()
		p.dropDigests()
		p.makeSteps()
		p.planOutputs()
		p.computeBasis()
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
	p.claimAnnounced()
	if p.ImportOnly != nil {
		if r := p.declaration(*p.ImportOnly); r != nil {
			p.about(r.Addr, func() { p.planResource(r) })
		}
		return
	}
	if !p.Destroy {
		for _, r := range p.declared {
			if p.links.hasLinks(r) {
				p.links.linking = append(p.links.linking, r)
			}
		}
		for _, r := range p.declared {
			if len(p.links.linking) == 0 || !p.links.hasLinks(r) {
				p.about(r.Addr, func() { p.planResource(r) })
			}
		}
		for _, r := range p.links.linking {
			p.about(r.Addr, func() { p.planResource(r) })
		}
	}
	for _, addr := range p.recordedAddrs {
		if p.Destroy || p.declaration(*addr) == nil {
			p.about(*addr, func() { p.planUndeclared(*addr) })
		}
	}
	if !p.Destroy && !p.RotationsOnly {
		p.checkPostconditions()
	}
}

// A planner is one run of Make.
type planner struct {
	Request
	declared        []*config.Resource // sorted by address
	recordedAddrs   []*addr.Addr       // what the state or the journal knows; sorted
	kinds           map[string]*kind.Kind
	resources       addrLookup // in declared
	entries         addrLookup // in Entries, which are sorted by address
	announced       map[addr.Addr][]AnnouncedCreate
	imports         map[addr.Addr]*config.Import
	replace         map[addr.Addr]bool
	rotate          map[addr.Addr]bool
	rotationChanges map[addr.Addr]bool // changes that rotation asks for
	movedFrom       map[addr.Addr]addr.Addr
	importedBy      map[objectID]addr.Addr
	claimed         map[objectID]addr.Addr // see claim
	untiedNames     map[reference]bool     // reported; see reportUntied

	owners      map[objectID]*addr.Addr      // see owner
	index       config.IdentityIndex         // of what is declared; see declaredAs
	timestamped map[reference][]*kind.Object // live, by declared name; see family

	differs  map[string]*differ    // by kind
	changeAt map[addr.Addr]*Change // see changeOf
	digester *digester

	links *links

	plan  Plan
	diags hcl.Diagnostics
}

// An objectID is a remote ID that the state records. Objects of two kinds may share
// one: a bucket and its notification rules.
type objectID struct{ kind, id string }

func idOf(o *kind.Object) objectID { return objectID{o.Kind.Name, o.ID} }

func newPlanner(r Request) *planner {
	p := &planner{
		Request:         r,
		declared:        slices.Clone(r.Config.Resources),
		recordedAddrs:   make([]*addr.Addr, 0, len(r.Entries)),
		kinds:           make(map[string]*kind.Kind, len(r.Kinds)),
		announced:       map[addr.Addr][]AnnouncedCreate{},
		imports:         map[addr.Addr]*config.Import{},
		replace:         map[addr.Addr]bool{},
		rotate:          map[addr.Addr]bool{},
		rotationChanges: map[addr.Addr]bool{},
		movedFrom:       map[addr.Addr]addr.Addr{},
		importedBy:      map[objectID]addr.Addr{},
		claimed:         map[objectID]addr.Addr{},
		digester:        newDigester(r.Applied.Salt),
		untiedNames:     map[reference]bool{},
		differs:         map[string]*differ{},
	}
	p.links = newLinks(p)
	slices.SortFunc(p.declared, func(a, b *config.Resource) int { return a.Addr.Compare(b.Addr) })
	p.resources = addrLookup{n: len(p.declared), at: func(i int) *addr.Addr { return &p.declared[i].Addr }}
	p.applyMoves()
	p.entries = addrLookup{n: len(p.Entries), at: func(i int) *addr.Addr { return &p.Entries[i].Addr }}
	for _, k := range r.Kinds {
		p.kinds[k.Name] = k
	}
	for i := range p.Entries {
		p.recordedAddrs = append(p.recordedAddrs, &p.Entries[i].Addr)
	}
	for _, a := range r.Announced {
		if now := p.currentAddr(a); now != a.Addr {
			p.plan.MovedIntents = append(p.plan.MovedIntents, EntryMove{From: a.Addr, To: now})
			a.Addr = now
		}
		p.announced[a.Addr] = append(p.announced[a.Addr], a)
		p.recordedAddrs = append(p.recordedAddrs, &a.Addr)
	}
	for i := range r.Config.Imports {
		p.imports[r.Config.Imports[i].To] = &r.Config.Imports[i]
	}
	for _, addr := range r.Replace {
		p.replace[addr] = true
	}
	for _, addr := range r.Rotate {
		p.rotate[addr] = true
	}
	slices.SortFunc(p.recordedAddrs, func(a, b *addr.Addr) int { return a.Compare(*b) })
	p.recordedAddrs = slices.CompactFunc(p.recordedAddrs, func(a, b *addr.Addr) bool { return *a == *b })
	return p
}

// currentAddr is the address that an announced create counts for: its own, unless the
// block got another label since, which its name gives away.
func (p *planner) currentAddr(a AnnouncedCreate) addr.Addr {
	k := p.kinds[a.Addr.Kind]
	if p.declaration(a.Addr) != nil || p.entry(a.Addr) != nil || k == nil {
		return a.Addr
	}
	if now, ok := p.declaredAs(k, k.NormalizeIdentity(a.Identity)); ok {
		return now
	}
	if name, _, ok := kind.ParseTimestampedName(a.Identity); ok && k.Credential != nil {
		if now, ok := p.declaredAs(k, k.NormalizeIdentity(name)); ok {
			return now
		}
	}
	return a.Addr
}

// planResource plans one declared planResource.
func (p *planner) planResource(r *config.Resource) {
	h := p.match(r.Addr, r.Kind)
	if h.object == nil && !p.findImportable(r, &h) {
		return
	}
	if !p.collectSiblings(r, &h) {
		return
	}
	p.matchNewName(r, &h)
	if !p.checkImportedOnce(r, &h) {
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
	c := Change{
		Addr:      r.Addr,
		Kind:      r.Kind,
		Action:    Create,
		Identity:  r.Identity(),
		Before:    cty.NullVal(r.Kind.LiveType()),
		After:     r.Value.Object(),
		Sensitive: h.sensitive(r),
		Leftovers: p.named(r.Kind, h.leftoverIDs()),
		Retiring:  h.retiring,
	}
	if h.entry != nil {
		c.Reason, c.Outside = p.goneReason(r.Kind, h.entry), p.gone(r.Kind, h.entry)
		_, p.rotationChanges[r.Addr] = r.Kind.RotationOf(r.Value)
	}
	if rotation, ok := r.Kind.RotationOf(r.Value); ok {
		kept, others := h.keptUntilRenewal()
		c.Overlapping, c.Retiring = p.named(r.Kind, kept), others
		c.Overlap = rotation.Overlap
	}
	p.finishChange(r, h, c, c.Before)
}

// planExisting plans what becomes of an object that is there.
func (p *planner) planExisting(r *config.Resource, h match) {
	raw, err := h.object.Values()
	if err != nil {
		p.unreadable(r.Block.Range.Ptr(), err)
		return
	}
	live := p.links.comparable(r, raw)
	fields, hidden := p.differ(r.Kind).diff(r.Value, live, h.entryOfObject(), r.IgnoreChanges)
	p.warnHidden(r, hidden)
	p.checkLive(r, live)
	action, reason := p.action(r, h, live, fields)
	if p.ImportOnly != nil && h.imported {
		p.warnLeftAsItIs(r, fields)
		action, reason, fields = NoOp, "", nil
	}
	judged, follows := p.links.noteLinks(r, h, action, raw, fields)
	reason = cmp.Or(reason, follows)
	p.warnUnknownSecret(r, h, action)
	p.warnExpiry(r, h, action, live)
	if h.imported && !h.fromOldState || action == NoOp || action == Update {
		p.planRecord(r, h)
	}
	_, moved := p.movedFrom[r.Addr]
	if action == NoOp && !h.imported && !moved && len(h.importedSiblingIDs) == 0 && len(h.leftoverIDs()) == 0 {
		return
	}
	c := Change{
		Addr:             r.Addr,
		Kind:             r.Kind,
		Action:           action,
		Import:           h.imported,
		ImportedSiblings: p.named(r.Kind, h.importedSiblingIDs),
		Identity:         r.Identity(),
		ID:               h.object.ID,
		LiveName:         h.object.Identity,
		Before:           live.Object(),
		After:            plannedValue(r, live),
		Fields:           fields,
		Sensitive:        h.sensitive(r),
		Reason:           reason,
		Leftovers:        p.named(r.Kind, h.leftoverIDs()),
		Retiring:         h.retiring,
	}
	switch {
	case h.imported && h.entry != nil:
		c.Outside = p.gone(r.Kind, h.entry)
	case len(fields) > 0:
		c.Outside, c.Edited = p.drift(r, h)
	}
	switch action {
	case Rotate:
		p.planOverlap(r, h, &c)
	case Replace:
		p.planNoOverlap(r, h, &c)
	}
	c.Force = (action == Replace || len(c.Leftovers) > 0) && ForceDestroys(r.Kind, c.After)
	if r.Kind.Destroy.Hazards != nil && (action == Replace && !h.unrecorded() || len(h.overdue) > 0) {
		c.Hazards = r.Kind.Destroy.Hazards(ForceDestroys(r.Kind, r.Value))
	}
	if action == NoOp && len(h.overdue) > 0 {
		c.Reason = h.overdueReason(r.Kind)
		p.rotationChanges[r.Addr] = true
	}
	p.finishChange(r, h, c, judged.Object())
}

// warnLeftAsItIs says what a later apply would change of an object that is only imported.
func (p *planner) warnLeftAsItIs(r *config.Resource, fields []string) {
	if len(fields) > 0 {
		p.warnf(&r.Block.Range, "The configuration differs from what is live",
			"%s is imported as it is. The next apply would change %s, unless the block is corrected before; \"b2form plan\" shows it.",
			r.Addr, words.List(fields))
	}
}

// action decides what becomes of a live object, and why.
func (p *planner) action(r *config.Resource, h match, live kind.Values, fields []string) (action Action, reason string) {
	if r.Kind.Update == nil {
		reason := p.replaceReason(r, h)
		if rotation, ok := r.Kind.RotationOf(r.Value); ok && !p.replace[r.Addr] {
			return p.rotateAction(r, h, rotation, reason, live, fields)
		}
		if reason == "" && len(fields) == 0 {
			return NoOp, h.mismatchReason
		}
		return Replace, reason
	}
	if p.replace[r.Addr] && r.Kind.Replaceable {
		p.errorf(&r.Block.Range, "Nothing to replace",
			"%s is written anew as soon as something differs from what is declared, and replaced when its name does. There is nothing "+
				"else to replace.", r.Addr)
		return NoOp, ""
	}
	if p.replace[r.Addr] {
		p.errorf(&r.Block.Range, "Refusing to replace "+r.Addr.String(),
			"Replacing a %s is never automatic, because everything it holds would be deleted. "+
				"Declare a new %s in a block of its own, copy what you need, and then remove this block.", r.Kind.Name, r.Kind.Name)
		return NoOp, ""
	}
	for _, f := range fields {
		if !r.Kind.Attr(f).Immutable && !r.Kind.IsIdentityAttr(f) {
			continue
		}
		if r.Kind.Replaceable && p.checkNameFree(r) {
			return Replace, h.mismatchReason
		}
		if !r.Kind.Replaceable {
			p.immutableError(r, f, live)
		}
		return NoOp, ""
	}
	if len(fields) == 0 {
		return NoOp, h.mismatchReason
	}
	return Update, h.mismatchReason
}

// immutableError reports a change that only another object could have.
func (p *planner) immutableError(r *config.Resource, attr string, live kind.Values) {
	rng := r.Block.RangeOf(attr)
	p.errorf(&rng, fmt.Sprintf("The %s of a %s cannot change", attr, r.Kind.Name),
		"%s has %s %s in B2, the configuration says %s. Replacing a %s is never automatic, because everything it holds "+
			"would be deleted. Put the old value back; or declare the new %s in a block of its own, copy what you need, "+
			"and then remove the old block.",
		r.Addr, attr, kind.FormatValue(live.GetAttr(attr)), kind.FormatValue(r.Value.GetAttr(attr)), r.Kind.Name, r.Kind.Name)
}

// finishChange completes a change of a declared resource: everything that depends
// on the change as a whole.
// before is the live object as hazards see it: null where there is none.
func (p *planner) finishChange(r *config.Resource, h match, c Change, before cty.Value) {
	p.guard(r, h, &c)
	c.Hazards = sortHazards(append(c.Hazards, hazards(&c, before)...))
	if r.Kind.YieldsSecret() && (c.Action == Create || c.Action == Replace || c.Action == Rotate) {
		p.planDelivery(r, &c)
	}
	p.plan.Changes = append(p.plan.Changes, c)
}

// planRecord plans the entry of an object that is imported, or that stays and whose
// entry is missing or says something else.
func (p *planner) planRecord(r *config.Resource, h match) {
	was := addr.Entry{Addr: r.Addr}
	if h.entry != nil && !h.imported {
		was = *h.entry
	}
	now := was
	now.ID, now.Identity = h.object.ID, h.object.Identity
	now.PreventDestroy, now.ForceDestroy, now.Sensitive = r.PreventDestroy, ForceDestroys(r.Kind, r.Value), r.Sensitive
	now.Retiring = h.allRetiring()
	if was.Delivered && len(r.Deliver) > 0 {
		now.Delivery = DeliveryDigest(r)
	}
	if now.ID != was.ID || now.Identity != was.Identity || now.PreventDestroy != was.PreventDestroy ||
		now.ForceDestroy != was.ForceDestroy || now.Delivery != was.Delivery || !slices.Equal(now.Sensitive, was.Sensitive) ||
		!slices.EqualFunc(now.Retiring, was.Retiring, sameRetiree) {
		p.plan.Records = append(p.plan.Records, now)
	}
}

func (p *planner) sortPlan() {
	for i := range p.plan.Changes {
		p.plan.Changes[i].MovedFrom = p.movedFrom[p.plan.Changes[i].Addr]
	}
	slices.SortFunc(p.plan.Changes, func(a, b Change) int { return a.Addr.Compare(b.Addr) })
	slices.SortFunc(p.plan.MovedIntents, func(a, b EntryMove) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	slices.SortFunc(p.plan.Records, func(a, b addr.Entry) int { return a.Addr.Compare(b.Addr) })
	slices.SortFunc(p.plan.Undelivered, addr.Addr.Compare)
	slices.SortFunc(p.plan.Rotations, func(a, b Rotation) int { return a.Addr.Compare(b.Addr) })
	slices.SortFunc(p.plan.LeftOut, addr.Addr.Compare)
}

// goneReason says of a recorded object that is not there what became of it.
func (p *planner) goneReason(k *kind.Kind, e *addr.Entry) string {
	if at := p.Snapshot.ExpiredAt(k, e.ID); !at.IsZero() {
		return fmt.Sprintf("%s %q expired on %s", k.Name, e.Identity, at.Format(momentLayout))
	}
	return fmt.Sprintf("%s %q no longer exists in B2", k.Name, e.Identity)
}
