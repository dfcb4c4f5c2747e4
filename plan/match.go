package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// A match is what is ours under one address.
type match struct {
	entry                    *addr.StateEntry      // nil: the state has no record
	object                   *kind.Object          // nil: nothing is live
	overdueRetirees          []addr.RetiringObject // live objects that were replaced and whose time is over
	keptRetirees             []addr.RetiringObject // live objects that were replaced and live on; sorted by ID
	expiredRetirees          []addr.RetiringObject // replaced objects that expired by a clock, and that B2 lists
	extraRecoveredIDs        []string              // IDs of what interrupted runs made beside object
	importedSiblingIDs       []string              // IDs of what is overdue or retiring and not ours yet; sorted
	anyUnsupersededRecovered bool                  // object, or what extraRecoveredIDs names, comes from an interrupted run
	isSiblingOfGoneRecorded  bool                  // object is of the same rotation as the recorded one, which is gone
	hasUnknownSuccessors     bool                  // the state does not know objects of the rotation that may be successors of object
	maybeForeignIDs          []string              // IDs of what was announced, and may have been made by somebody else since
	toBeImported             bool                  // object is not ours yet
	mismatchReason           string                // why the object is not the recorded one
}

// furtherDeleteIDs are the IDs of what is to be deleted beside the object, sorted.
func (h *match) furtherDeleteIDs() []string {
	out := slices.Clone(h.extraRecoveredIDs)
	for _, old := range h.overdueRetirees {
		out = append(out, old.ID)
	}
	slices.Sort(out)
	return out
}

// sensitiveAttrs lists the attributes that must not be shown: what the block says,
// and what it said when it was recorded last. r may be nil.
func (h *match) sensitiveAttrs(r *config.Resource) []string {
	var out []string
	if r != nil {
		out = append(out, r.SensitiveAttrs...)
	}
	if h.entry != nil {
		out = append(out, h.entry.SensitiveAttrs...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sensitiveAttrsWhileLive lists the attributes that the state is to call sensitive before the action is carried
// out: what the block does, and what was recorded, unless what is live is what the block says now.
func (h *match) sensitiveAttrsWhileLive(r *config.Resource, action Action) []string {
	return slices.DeleteFunc(h.sensitiveAttrs(r), func(name string) bool {
		a := r.Kind.FindAttr(name)
		return !slices.Contains(r.SensitiveAttrs, name) && (a == nil || action == NoOp && !r.KeepsLive(a))
	})
}

// allRetirees are the objects that were replaced and are live, sorted by ID.
func (h *match) allRetirees() []addr.RetiringObject {
	return addr.SortRetiring(slices.Concat(h.overdueRetirees, h.keptRetirees))
}

func equalRetirees(a, b addr.RetiringObject) bool {
	return a.ID == b.ID && a.Name == b.Name && a.KeepUntil.Equal(b.KeepUntil) && a.KeptUntilRenewal == b.KeptUntilRenewal
}

// isObjectRecovered reports whether the object itself comes from an interrupted run,
// so that nobody can have used it.
func (h *match) isObjectRecovered() bool {
	return h.anyUnsupersededRecovered && (h.entry == nil || h.object.ID != h.entry.ID)
}

// entryIfSameObject is the record of the very object; nil: there is none.
func (h *match) entryIfSameObject() *addr.StateEntry {
	if h.entry != nil && h.object != nil && h.entry.ID == h.object.ID {
		return h.entry
	}
	return nil
}

// matchAddr finds what the state recorded under an address, by its remote ID, and
// what interrupted runs left there.
func (p *planner) matchAddr(addr addr.Addr, k *kind.Kind) match {
	h := match{entry: p.entry(addr)}
	if h.entry != nil {
		h.object = p.Snapshot.ByID(k, h.entry.ID)
		p.checkEntryName(h.entry, h.object)
		for _, old := range h.entry.Retiring {
			if o := p.Snapshot.ByID(k, old.ID); o != nil && p.isRetireeOrWarn(h.entry, old, o) {
				old.Name = o.Identity
				p.classifyRetiree(&h, old)
			} else if expired, _ := p.Snapshot.FindExpired(k, old.ID); expired != nil {
				h.expiredRetirees = append(h.expiredRetirees, old)
			}
		}
	}
	made, superseded := p.findAndClaimRecovered(addr, k)
	if len(made) > 0 {
		h.anyUnsupersededRecovered = h.object == nil || !superseded
		for _, o := range made {
			if !p.isOfAnnouncedTime(addr, o) {
				h.maybeForeignIDs = append(h.maybeForeignIDs, o.ID)
			}
		}
		if h.object == nil {
			h.takeRecovered(made[len(made)-1])
			made = made[:len(made)-1]
		}
		for _, o := range made {
			h.extraRecoveredIDs = append(h.extraRecoveredIDs, o.ID)
		}
	}
	return h
}

// findAndClaimRecovered are the objects that an interrupted run announced and that did appear:
// live under the announced identity, new since, and recorded nowhere. Sorted by
// ID. superseded reports whether nobody can have got their secrets, because the
// same run went on to make what is recorded.
func (p *planner) findAndClaimRecovered(addr addr.Addr, k *kind.Kind) (made []*kind.Object, superseded bool) {
	superseded = true
	for _, a := range p.announced[addr] {
		for _, o := range p.Snapshot.ByIdentity(k, k.NormalizeIdentity(a.Identity)) {
			if p.ownerAddr(objectIDOf(o)) == nil && !slices.Contains(a.IDsBeforeCreate, o.ID) && !slices.Contains(made, o) &&
				(a.MultiBucket || !IsListedAsMultiBucket(o)) && p.claimRecovered(addr, o) {
				made = append(made, o)
				e := p.entry(addr)
				superseded = superseded && e != nil && e.ID == a.LaterAttemptID
			}
		}
	}
	slices.SortFunc(made, func(a, b *kind.Object) int { return strings.Compare(a.ID, b.ID) })
	return made, superseded
}

// IsListedAsMultiBucket reports whether only the newest API version lists the object: older ones
// would show which single bucket it is limited to, or that there is none.
func IsListedAsMultiBucket(o *kind.Object) bool {
	a := config.MultiBucketAttr(o.Kind)
	if a == nil {
		return false
	}
	live, err := o.JSONMembers()
	return err != nil || live[a.WirePath] != nil && live[a.Encoding.SingleValueReadPath] == nil
}

// takeRecovered takes what an interrupted run announced. What may be somebody else's is to be imported, unless it is a
// credential: that is of no use without its secret, so it is to be deleted.
func (h *match) takeRecovered(o *kind.Object) {
	if h.object = o; slices.Contains(h.maybeForeignIDs, o.ID) && !o.Kind.YieldsSecret() {
		h.takeImport(o)
	}
}

// isOfAnnouncedTime reports whether an object under an announced name can only have been made when that create could take
// effect: not much time has passed, B2 says when it was made, or nobody else gives such names.
func (p *planner) isOfAnnouncedTime(addr addr.Addr, o *kind.Object) bool {
	made := p.Now
	if o.Kind.Content != nil {
		live, err := o.Values() // whoever compares it tells of an error
		if at := live.GetAttr(o.Kind.Content.UploadTimeAttr); err == nil && !at.IsNull() {
			made = kind.TimeFromMillis(at)
		}
	}
	return slices.ContainsFunc(p.announced[addr], func(a AnnouncedCreate) bool {
		_, _, stamped := kind.ParseTimestampedName(a.Identity)
		inTime := !made.After(a.AnnouncedAt.Add(MayTakeEffectFor))
		return o.Identity == o.Kind.NormalizeIdentity(a.Identity) && (inTime || stamped && o.Kind.Credential != nil)
	})
}

// maybeForeignDeletes lists what may be somebody else's of what a change deletes.
func (p *planner) maybeForeignDeletes(h *match, c *Change) []NamedObject {
	return slices.DeleteFunc(slices.Clone(c.Deletes()), func(o NamedObject) bool { return !slices.Contains(h.maybeForeignIDs, o.ID) })
}

// findImportable looks for a live object to import: the one an import block names, else
// the only one under the resource's identity. It reports whether planning may
// go on; without an object the resource is to be created.
func (p *planner) findImportable(r *config.Resource, h *match) (goOn bool) {
	imp := p.imports[r.Addr]
	switch {
	case imp == nil || h.entry != nil:
	case len(imp.SiblingIDsOrIdentities) > 0:
		return p.importNewestOfNamedSiblings(r, imp, h)
	default:
		return p.resolveImportBlock(r, imp, h)
	}
	found, ok := p.importCandidates(r)
	if !ok {
		return false
	}
	if len(found) > 0 { // else the index of names is not needed
		if untied := p.unmatchedWithIdentityOf(r); len(untied) > 1 && slices.Contains(untied, r) {
			p.reportUnmatchedWithSameIdentity(r, untied, found)
			return false
		}
	}
	if newest := p.newestTimestamped(r, found); newest != nil {
		h.importNewestSibling(newest)
		return true
	}
	if imp != nil && imp.IDOrIdentity != "" && len(found) > 1 {
		return p.resolveImportBlock(r, imp, h)
	}
	switch len(found) {
	case 0:
		return p.checkCredentialScope(r)
	case 1:
		h.takeImport(found[0])
		return true
	}
	p.reportAmbiguous(r, found)
	return false
}

func (h *match) takeImport(o *kind.Object) {
	h.object, h.toBeImported = o, true
	if h.entry != nil {
		h.mismatchReason = fmt.Sprintf("%s %q was deleted and made anew outside b2form", o.Kind.Name, o.Identity)
	}
}

// importCandidates are the live objects under the resource's identity that do not
// belong to another address.
func (p *planner) importCandidates(r *config.Resource) (found []*kind.Object, ok bool) {
	for _, o := range p.liveSiblings(r) {
		owner := p.ownerAddr(objectIDOf(o))
		switch {
		case owner == nil && p.importedOrRecoveredByAnother(r, o):
		case owner == nil:
			found = append(found, o)
		case p.declaration(*owner) != nil && r.Kind.Replaceable:
			p.reportNameStillUsed(r, *owner)
			return nil, false
		case p.declaration(*owner) != nil: // that resource has it, or gives it up
		case p.Config.FindRemoval(*owner) != nil && r.Kind.NamesRepeat: // they may live beside each other
		case p.Config.FindRemoval(*owner) != nil:
			p.errorf(&r.Block.HeaderRange, "Resource has another address in the state",
				"%s %q belongs to %s, which a removed block gives up. If its block was renamed to %s, write in the place of that\n"+
					"%s\nOtherwise apply the removal before %[4]s is declared.",
				words.CapitalizeUnlessName(r.Kind.Name), o.Identity, owner, r.Addr, movedBlockText(*owner, r.Addr))
			return nil, false
		default:
			p.errorf(&r.Block.HeaderRange, "Resource has another address in the state",
				"%s %q belongs to %s, which is no longer in the configuration. If its block was renamed to %s, write\n"+
					"%s", words.CapitalizeUnlessName(r.Kind.Name), o.Identity, owner, r.Addr, movedBlockText(*owner, r.Addr))
			return nil, false
		}
	}
	return found, true
}

// resolveImportBlock resolves an import block, which names a remote ID or an identity.
func (p *planner) resolveImportBlock(r *config.Resource, imp *config.Import, h *match) (goOn bool) {
	var found []*kind.Object
	if o := p.Snapshot.ByID(r.Kind, imp.IDOrIdentity); o != nil {
		found = append(found, o)
	} else {
		found = p.Snapshot.ByIdentity(r.Kind, r.Kind.NormalizeIdentity(imp.IDOrIdentity))
		free := slices.DeleteFunc(slices.Clone(found), func(o *kind.Object) bool {
			return p.ownerAddr(objectIDOf(o)) != nil || p.importedOrRecoveredByAnother(r, o)
		})
		if len(free) > 0 {
			found = free
		}
	}
	switch {
	case len(found) == 0 && r.Kind.ScopeAttr() != "" &&
		r.Kind.NormalizeIdentity(imp.IDOrIdentity) != r.Kind.NormalizeIdentity(r.Identity()):
		p.errorf(&imp.Range, "Nothing to import",
			"There is no %s with the id %q that these credentials can see and that %s could be. What the block declares has the id %q. "+
				"Correct one of them, or remove the import block and let b2form create %s.", r.Kind.Name, imp.IDOrIdentity, r.Addr,
			r.Identity(),
			r.Addr)
		return false
	case len(found) == 0:
		p.errorf(&imp.Range, "Nothing to import",
			"There is no %s with the name or ID %q that these credentials can see. Correct the id, or remove the import block and let "+
				"b2form create %s.",
			r.Kind.Name, imp.IDOrIdentity, r.Addr)
		return false
	case len(found) > 1:
		p.reportAmbiguous(r, found)
		return false
	}
	if owner := p.ownerAddr(objectIDOf(found[0])); owner != nil {
		p.reportOwnedByAnother(r, imp, imp.IDOrIdentity, *owner)
		return false
	}
	h.takeImport(found[0])
	return true
}

func (p *planner) reportOwnedByAnother(r *config.Resource, imp *config.Import, id string, owner addr.Addr) {
	p.errorf(&imp.Range, "Resource belongs to another address",
		"%s %q already belongs to %s. If that block was renamed, declare that instead of importing:\n%s",
		words.CapitalizeUnlessName(r.Kind.Name), id, owner, movedBlockText(owner, r.Addr))
}

// reportAmbiguous lists what tells objects with one identity apart, and how to choose.
func (p *planner) reportAmbiguous(r *config.Resource, found []*kind.Object) {
	list, ok := p.listDifferences(r, found)
	if !ok {
		return
	}
	p.errorf(&r.Block.HeaderRange, fmt.Sprintf("Several %s are named %q", r.Kind.Plural, found[0].Identity),
		"B2 lets %s share a name, so b2form cannot know which of these %s is:%s\n"+
			"Choose one with an import block, or give this one another name:\n  import {\n    to = %s\n    id = %q\n  }%s",
		r.Kind.Plural, r.Addr, list, r.Addr, found[len(found)-1].ID, importCommandHint)
}

const (
	importCommandHint = "\n`b2form import ADDRESS ID` does the same."
	mostListed        = 10 // objects or blocks of one identity that a message lists
)

// listDifferences lists objects with one identity, a line each, by what tells them apart. It
// reports whether they can be read.
func (p *planner) listDifferences(r *config.Resource, found []*kind.Object) (text string, readable bool) {
	values := make([]cty.Value, len(found))
	for i, o := range found {
		v, err := o.Value()
		if err != nil {
			p.reportUnreadableReply(r.Block.HeaderRange.Ptr(), err)
			return "", false
		}
		values[i] = v
	}
	apart := differingAttrs(r.Kind, values)
	var list strings.Builder
	for i, o := range found[:min(len(found), mostListed)] {
		fmt.Fprintf(&list, "\n  %s", o.ID)
		for _, name := range apart {
			fmt.Fprintf(&list, ", %s = %s", name, formatAttrValue(r.Kind.FindAttr(name), values[i].GetAttr(name)))
		}
	}
	return list.String() + andMoreText(len(found)), true
}

// andMoreText is the last line of a list in which mostListed of so many stand.
func andMoreText(count int) string {
	if count <= mostListed {
		return ""
	}
	return fmt.Sprintf("\n  and %d more", count-mostListed)
}

// differingAttrs names the attributes, without the ID, in which the values are not all alike.
func differingAttrs(k *kind.Kind, values []cty.Value) []string {
	var out []string
	for i := range k.Attrs {
		name := k.Attrs[i].Name
		differs := slices.ContainsFunc(values, func(v cty.Value) bool {
			return !v.GetAttr(name).RawEquals(values[0].GetAttr(name))
		})
		if differs && name != k.IDAttr {
			out = append(out, name)
		}
	}
	return out
}

// formatAttrValue shows a time as a date, nothing as what that means, and everything else like kind.FormatValue.
func formatAttrValue(a *kind.Attr, v cty.Value) string {
	if v.IsNull() && a.Note != nil {
		return cmp.Or(a.Note(v), kind.FormatValue(v))
	}
	if !a.Encoding.IsUnixMillis || v.IsNull() || !v.IsKnown() {
		return kind.FormatValue(v)
	}
	return kind.TimeFromMillis(v).Format(time.RFC3339)
}
