package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// The live objects that may be of one rotation, by their names, are its family. Names say
// nothing of who made them, so what neither the state nor an announcement knows is
// somebody else's until an import has taken it.

// namedObjects gives the live objects with these IDs, sorted by them.
func (p *planner) namedObjects(k *kind.Kind, ids []string) []NamedObject {
	if len(ids) == 0 {
		return nil
	}
	ids = slices.Sorted(slices.Values(ids))
	out := make([]NamedObject, len(ids))
	for i, id := range ids {
		out[i].ID = id
		if o := p.Snapshot.ByID(k, id); o != nil {
			out[i].Name = o.Identity
		} else if o, _ := p.Snapshot.FindExpired(k, id); o != nil {
			out[i].Name = o.Identity
		}
	}
	return out
}

// isRetireeOrWarn reports whether a live object is the one that the entry lists as replaced.
// Otherwise the state was edited, and the object is left alone, with a warning.
func (p *planner) isRetireeOrWarn(e *addr.StateEntry, old addr.RetiringObject, o *kind.Object) (isRetiree bool) {
	k, why, advice := o.Kind, "", "If it is of no use, delete it by hand."
	switch owner := p.ownerAddr(objectIDOf(o)); {
	case owner == nil || *owner != e.Addr || old.ID == e.ID:
		why, advice = fmt.Sprintf("it belongs to %s", owner), "The state was edited: look at it before you go on."
	case old.Name != "" && k.NormalizeIdentity(old.Name) != o.Identity:
		why = fmt.Sprintf("what the state means was called %q", old.Name)
	case old.Name == "" && nameWithoutTimestamp(k, o.Identity) != nameWithoutTimestamp(k, k.NormalizeIdentity(e.Identity)):
		why = fmt.Sprintf("%s is called %q, and the state, of an older b2form, does not say that the one before had another name", e.Addr,
			e.Identity)
	default:
		return true
	}
	p.warnf(nil, words.CapitalizeUnlessName(k.Name)+" is left alone",
		"The state lists the %s %q (ID %s) as replaced by %s, but %s. So it is not deleted, and not listed there any more. %s",
		k.Name, o.Identity, o.ID, e.Addr, why, advice)
	return false
}

// checkEntryName refuses an entry whose ID is that of an object with another name, which no run
// records: names of live objects do not change. Whatever is done for the entry would be
// done to somebody else's object.
func (p *planner) checkEntryName(e *addr.StateEntry, o *kind.Object) {
	if o == nil || nameWithoutTimestamp(o.Kind, o.Identity) == nameWithoutTimestamp(o.Kind, o.Kind.NormalizeIdentity(e.Identity)) {
		return
	}
	p.errorf(nil, "State records another object", "The state records %s as %s %q, but what has the ID %s is called %q. The state was "+
		"edited or badly merged: restore it, correct the ID, or forget the entry with `b2form state rm`.", e.Addr,
		words.WithArticle(o.Kind.Name),
		e.Identity, o.ID, o.Identity)
}

// nameWithoutTimestamp is a name without the time that rotation puts behind it.
func nameWithoutTimestamp(k *kind.Kind, name string) string {
	if base, _, ok := kind.ParseTimestampedName(name); ok && k.Credential != nil {
		return base
	}
	return name
}

// importNewestSibling takes the current object of a rotation.
func (h *match) importNewestSibling(o *kind.Object) {
	h.object = o
	h.toBeImported, h.isSiblingOfGoneRecorded = true, h.entry != nil
}

// importUnknownSiblings looks for further objects of the resource's rotation that the state
// does not know: it was lost, or it is an old copy. They are imported with the
// resource, or planning cannot go on. Older ones than the current one were replaced by
// it; newer ones may have been delivered, or not. Nor does anybody know that of a
// current one that is taken from the account: the one before it may still be what is
// used.
func (p *planner) importUnknownSiblings(r *config.Resource, h *match) (goOn bool) {
	rotation, ok := r.Kind.RotationOf(r.Value)
	if !ok || h.object == nil {
		return true
	}
	unknown := p.unknownSiblings(r, h)
	if len(unknown) == 0 {
		return true
	}
	if !p.checkSiblingImport(r, h, unknown) {
		return false
	}
	unknown = slices.DeleteFunc(unknown, func(o *kind.Object) bool { return o == h.object })
	last := -1 // of those before the current one
	for i, o := range unknown {
		if !nameTimestamp(o).After(nameTimestamp(h.object)) {
			last = i
		}
	}
	for i, o := range unknown {
		h.importedSiblingIDs = append(h.importedSiblingIDs, o.ID)
		old := addr.RetiringObject{ID: o.ID, Name: o.Identity, KeepUntil: nameTimestamp(h.object).Add(rotation.Overlap)}
		successor := i > last
		if h.isObjectRecovered() || h.isSiblingOfGoneRecorded || successor || h.toBeImported && i == last {
			old = addr.RetiringObject{ID: o.ID, Name: o.Identity, KeptUntilRenewal: true}
		}
		h.hasUnknownSuccessors = h.hasUnknownSuccessors || successor
		p.classifyRetiree(h, old)
	}
	slices.Sort(h.importedSiblingIDs)
	return true
}

// unknownSiblings are the live objects of the family that neither the state nor an
// announcement knows; oldest first. Beside a recorded object with a time behind its name,
// one without is somebody else's, and no concern of this rotation.
func (p *planner) unknownSiblings(r *config.Resource, h *match) []*kind.Object {
	imp := p.imports[r.Addr]
	rotating := !h.toBeImported && !h.isObjectRecovered() && h.object.Identity != r.Identity() &&
		nameWithoutTimestamp(r.Kind, h.object.Identity) == r.Identity()
	var unknown []*kind.Object
	for _, o := range p.liveSiblings(r) {
		made := slices.Contains(h.extraRecoveredIDs, o.ID) || o == h.object && !h.toBeImported
		unconcerned := rotating && o.Identity == r.Identity() && (imp == nil || !imp.Matches(r.Kind, o.ID, o.Identity))
		if p.ownerAddr(objectIDOf(o)) == nil && !made && !unconcerned {
			unknown = append(unknown, o)
		}
	}
	return unknown
}

// checkSiblingImport decides whether what is unknown may become the resource's: every object that
// an import block names, and without one those of a family in which nothing says that
// somebody else owns a part of it.
func (p *planner) checkSiblingImport(r *config.Resource, h *match, unknown []*kind.Object) (goOn bool) {
	imp := p.imports[r.Addr]
	why := ""
	switch {
	case imp != nil:
		if !slices.ContainsFunc(unknown, func(o *kind.Object) bool { return !imp.Matches(r.Kind, o.ID, o.Identity) }) {
			return true
		}
		why = "Its import block does not name them all."
	case p.mayHaveForeignSiblings(r, h):
		why = "Somebody else may own them."
	default:
		return true
	}
	var list strings.Builder
	ids := make([]string, len(unknown))
	for i, o := range unknown {
		fmt.Fprintf(&list, "\n  %s", NamedObject{o.ID, o.Identity})
		ids[i] = fmt.Sprintf("%q", o.ID)
	}
	p.errorf(&r.Block.HeaderRange, fmt.Sprintf("Whose %s these are is not known", r.Kind.Plural),
		"%s rotates, and these live %s are called %q, or that with a time behind it. b2form did not record them:%s\n%s "+
			"If they are not of %s, give it another name. If they are, take them over; the newest is current, and the others are "+
			"deleted in time:\n"+
			"  import {\n    to  = %s\n    ids = [%s]\n  }",
		r.Addr, r.Kind.Plural, r.Identity(), list.String(), why, r.Addr, r.Addr, strings.Join(ids, ", "))
	return false
}

// mayHaveForeignSiblings reports a sign that a part of the family belongs to somebody else: plain and
// stamped names together, a time that is yet to come, or a recorded object that is not of it.
func (p *planner) mayHaveForeignSiblings(r *config.Resource, h *match) bool {
	plain, stamped, future := false, false, false
	for _, o := range p.liveSiblings(r) {
		if slices.Contains(h.extraRecoveredIDs, o.ID) {
			continue
		}
		isPlain := nameTimestamp(o).IsZero() || o.Identity == r.Identity()
		plain, stamped = plain || isPlain, stamped || !isPlain
		future = future || nameTimestamp(o).After(p.Now.Add(time.Hour))
	}
	other := !h.toBeImported && !h.isObjectRecovered() && nameWithoutTimestamp(r.Kind, h.object.Identity) != r.Identity()
	return plain && stamped || future || other
}

// importNewestOfNamedSiblings resolves the ids of an import block: the newest is current.
func (p *planner) importNewestOfNamedSiblings(r *config.Resource, imp *config.Import, h *match) (goOn bool) {
	if _, ok := r.Kind.RotationOf(r.Value); !ok {
		p.errorf(&imp.Range, "Several objects for one resource",
			"%s does not rotate, so it is one %s. Write id instead of ids; ids is for a key with a rotate block.", r.Addr, r.Kind.Name)
		return false
	}
	siblings := p.liveSiblings(r)
	newest := -1
	for _, id := range imp.SiblingIDsOrIdentities {
		i := slices.IndexFunc(siblings, func(o *kind.Object) bool { return o.ID == id || o.Identity == r.Kind.NormalizeIdentity(id) })
		if i < 0 {
			p.errorf(&imp.Range, "Nothing to import",
				"There is no %s with the name or ID %q that these credentials can see and that is called %q, or that with a time behind "+
					"it. Correct ids.",
				r.Kind.Name, id, r.Identity())
			return false
		}
		if owner := p.ownerAddr(objectIDOf(siblings[i])); owner != nil {
			p.reportOwnedByAnother(r, imp, id, *owner)
			return false
		}
		newest = max(newest, i)
	}
	h.takeImport(siblings[newest])
	return true
}

// maybeForeignReplaced lists what a change takes over and has destroyed, now or by a later run, though the block may not have made it.
func (p *planner) maybeForeignReplaced(r *config.Resource, c *Change) []NamedObject {
	var replaced []NamedObject
	if p.imports[r.Addr] == nil { // else that block names the siblings, as ones to be deleted in time
		replaced = slices.Clone(c.ImportedSiblings)
	}
	if c.Import && (c.Action == Replace || c.Action == Rotate) {
		replaced = append(replaced, NamedObject{c.RemoteID, c.LiveName})
	}
	return slices.DeleteFunc(replaced, func(o NamedObject) bool { return p.isMadeByBlock(r, o) })
}

// isMadeByBlock reports whether a live object has the block's settings, and its name with a time behind it.
func (p *planner) isMadeByBlock(r *config.Resource, o NamedObject) bool {
	live := p.Snapshot.ByID(r.Kind, o.ID)
	if live == nil || o.Name == r.Identity() || nameWithoutTimestamp(r.Kind, o.Name) != r.Identity() {
		return false
	}
	raw, err := live.Values() // whoever compares it tells of an error
	return err == nil && len(p.differFor(r.Kind).diffMadeAnew(r.Value, p.linkPlanner.comparableLive(r, raw), nil)) == 0
}

// claimImportedObjects refuses to give two resources one object.
func (p *planner) claimImportedObjects(r *config.Resource, h *match) (goOn bool) {
	ids := h.importedSiblingIDs
	if h.toBeImported {
		ids = append(slices.Clone(ids), h.object.ID)
	}
	for _, id := range ids {
		o := objectID{r.Kind.Name, id}
		if other, taken := p.importedBy[o]; taken {
			p.errorf(&r.Block.HeaderRange, "One object for two resources",
				"Both %s and %s would import the %s with the ID %s. Each resource needs an object of its own: correct the import "+
					"blocks, or give one of them another name.",
				other, r.Addr, r.Kind.Name, id)
			return false
		}
		p.importedBy[o] = r.Addr
	}
	return true
}
