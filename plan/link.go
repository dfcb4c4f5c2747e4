package plan

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// linkPlanner is what a plan knows of attributes that link to other objects and are set
// after those are made (kind.Attr.IsDeferredLink). Their targets may share names, or belong
// to other accounts: what is live there are IDs, and which of them a name stands
// for follows from the rest of the plan. So what gives links a value is planned
// after everything else.
type linkPlanner struct {
	*planner
	attrIndicesByKind   map[*kind.Kind][]int          // see linkAttrs
	resourcesWithLinks  []*config.Resource            // declared resources that give links a value
	unreplacedResources map[objectID]*config.Resource // live objects that stay what is declared
	unreplacedIDs       map[addr.Addr]string          // their IDs
	soleUpdateCauses    map[addr.Addr][]addr.Addr     // updates that have no reason but that these are made anew
	liveLinkTargets     map[addr.Addr][]objectID      // what the links of live objects lead to
}

func newLinkPlanner(p *planner) *linkPlanner {
	return &linkPlanner{
		planner:             p,
		attrIndicesByKind:   map[*kind.Kind][]int{},
		unreplacedResources: map[objectID]*config.Resource{},
		unreplacedIDs:       map[addr.Addr]string{},
		soleUpdateCauses:    map[addr.Addr][]addr.Addr{},
		liveLinkTargets:     map[addr.Addr][]objectID{},
	}
}

// linkAttrs lists the attributes of a kind that link to other objects.
func (l *linkPlanner) linkAttrs(k *kind.Kind) (attrIndices []int) {
	list, known := l.attrIndicesByKind[k]
	if !known {
		list = k.DeferredLinkIndices()
		l.attrIndicesByKind[k] = list
	}
	return list
}

// hasLinks reports whether a resource gives a value to an attribute that is set last.
func (l *linkPlanner) hasLinks(r *config.Resource) bool {
	return slices.ContainsFunc(l.linkAttrs(r.Kind), func(i int) bool { return !r.Value.PointerAt(i).IsNull() })
}

// linkReferences lists what the links of v lead to.
func (l *linkPlanner) linkReferences(k *kind.Kind, v kind.Values) []kind.Reference {
	var out []kind.Reference
	for _, i := range l.linkAttrs(k) {
		out = append(out, k.Attrs[i].References(*v.PointerAt(i))...)
	}
	return out
}

// mapLinks returns a live object whose links hold what name makes of their IDs.
func (l *linkPlanner) mapLinks(k *kind.Kind, live kind.Values, name func(by *kind.Attr, text string) string) kind.Values {
	knots := l.linkAttrs(k)
	if !slices.ContainsFunc(knots, func(i int) bool { return live.PointerAt(i).IsKnown() && !live.PointerAt(i).IsNull() }) {
		return live
	}
	live = live.Clone()
	for _, i := range knots {
		v := k.Attrs[i].MapPossibleIDs(*live.PointerAt(i), name)
		live.SetAt(i, &v)
	}
	return live
}

// nameOrIDAfterApply names what will be there when the plan is carried out: a declared
// object by its declared name, another one by its own if nothing shares that.
func (l *linkPlanner) nameOrIDAfterApply(by *kind.Attr, id string) string {
	k := l.kinds[by.Link.RefKind]
	if k == nil || !k.NamesRepeat {
		return id // a name already, or an ID of another account
	}
	if r := l.unreplacedResources[objectID{k.Name, id}]; r != nil {
		return l.declaredIdentities().IdentityOrAddress(r)
	}
	o := l.Snapshot.ByID(k, id)
	if o == nil || by.Link.IsRemoteID(o.Identity) || len(l.Snapshot.ByIdentity(k, o.Identity)) > 1 {
		return id
	}
	if l.isDeclared(k, o.Identity) {
		return id
	}
	return o.Identity
}

// nameOrIDByOwner is like nameOrIDAfterApply, but names what is declared also by the IDs of those
// objects of it that are, or will be, replaced.
func (l *linkPlanner) nameOrIDByOwner(by *kind.Attr, id string) string {
	if r := l.findOwnerResource(objectID{by.Link.RefKind, id}); r != nil && by.Link.IsRemoteID != nil {
		return l.declaredIdentities().IdentityOrAddress(r)
	}
	return l.nameOrIDAfterApply(by, id)
}

// findOwnerResource is the declared resource under whose address the state records a live
// object; nil: there is none.
func (l *linkPlanner) findOwnerResource(id objectID) *config.Resource {
	if owner := l.ownerAddr(id); owner != nil {
		return l.declaration(*owner)
	}
	return nil
}

// linkIDsToNames brings the IDs of a live object into the form in which it is compared
// with r. What r itself names by its ID stays.
func (l *linkPlanner) linkIDsToNames(r *config.Resource, live kind.Values, name func(by *kind.Attr, id string) string) kind.Values {
	if len(l.linkAttrs(r.Kind)) == 0 {
		return live
	}
	given := l.linkReferences(r.Kind, r.Value)
	return l.mapLinks(r.Kind, live, func(by *kind.Attr, id string) string {
		if slices.ContainsFunc(given, func(m kind.Reference) bool { return m.Name == id }) {
			return id
		}
		return name(by, id)
	})
}

// comparableLive is a live object with names as far as they say what the IDs would.
func (l *linkPlanner) comparableLive(r *config.Resource, raw kind.Values) kind.Values {
	if l.hasLinks(r) {
		return l.linkIDsToNames(r, raw, l.nameOrIDAfterApply)
	}
	return l.linkIDsToNames(r, raw, l.nameOrIDByOwner) // nothing is compared with it
}

// noteLinks notes what a live object stands for and what it links to, and gives the object
// as hazards see it, and the reason for an update that only follows others.
func (l *linkPlanner) noteLinks(r *config.Resource, h match, action Action, raw kind.Values, fields []string) (liveForHazards kind.Values,
	reason string) {
	if action == NoOp || action == Update {
		l.noteUnreplaced(r, h)
	}
	if len(l.linkAttrs(r.Kind)) == 0 {
		return raw, ""
	}
	liveForHazards = l.linkIDsToNames(r, raw, l.nameOrIDByOwner)
	if action == Update {
		l.liveLinkTargets[r.Addr] = l.linkTargets(r.Kind, raw)
		reason = l.noteReplacedLinkTargets(r, h, liveForHazards, fields)
	}
	return liveForHazards, reason
}

// noteReplacedLinkTargets is the reason for an update that names what takes the place of something
// live; "" where there is none. An update that has no other reason is noted.
func (l *linkPlanner) noteReplacedLinkTargets(r *config.Resource, h match, liveWithReplacedNames kind.Values,
	fields []string) (reason string) {
	rest, _ := l.differFor(r.Kind).diff(r.Value, liveWithReplacedNames, h.entryIfSameObject(), r.IgnoreChanges)
	if len(rest) == len(fields) {
		return ""
	}
	var targets []addr.Addr
	for _, id := range l.liveLinkTargets[r.Addr] {
		if r := l.findOwnerResource(id); r != nil && l.unreplacedResources[id] == nil && !slices.Contains(targets, r.Addr) {
			targets = append(targets, r.Addr)
		}
	}
	slices.SortFunc(targets, addr.Addr.Compare)
	if len(rest) == 0 {
		l.soleUpdateCauses[r.Addr] = targets
	}
	texts := make([]string, len(targets))
	for i, t := range targets {
		texts[i] = t.String() + " is made anew"
		if l.unreplacedIDs[t] != "" {
			texts[i] = t.String() + " was made anew"
		}
	}
	return strings.Join(texts, ", ")
}

// checkUnambiguousName refuses a name that several live objects have and no block.
func (l *linkPlanner) checkUnambiguousName(r *config.Resource, c *Change, attr string, k *kind.Kind, m kind.Reference) {
	name := m.Name
	found := l.Snapshot.ByIdentity(k, k.NormalizeIdentity(name))
	rng, blocks := referenceRange(r, attr, m), l.declaredIdentities().AllWithIdentity(k.Name, k.NormalizeIdentity(name))
	if len(blocks) > 1 {
		l.errorf(&rng, "Several "+k.Plural+" have this name", "%s of %s names the %s %s, and several blocks declare that name. Write the "+
			"one that is meant instead, without quotes: %s.",
			referencePath(attr, m), r.Addr, k.Name, quoteUnlessSensitive(c.Sensitive, attr, name),
			strings.Join(addr.Strings(addrsOf(blocks)), ", "))
		return
	}
	if len(blocks) == 1 || len(found) < 2 {
		return
	}
	ids := make([]string, len(found))
	for i, o := range found {
		ids[i] = o.ID
	}
	l.errorf(&rng, "Several "+k.Plural+" have this name", "%s of %s names the %s %s, and B2 has several of that name: %s. Use the ID of "+
		"the one that is meant.",
		referencePath(attr, m), r.Addr, k.Name, quoteUnlessSensitive(c.Sensitive, attr, name), strings.Join(ids, ", "))
}

// isRemoteID reports whether a text stands for itself.
func (l *linkPlanner) isRemoteID(by *kind.Attr, k *kind.Kind, text string) bool {
	if by.Link.IsRemoteID == nil || !by.Link.IsRemoteID(text) {
		return false
	}
	return !l.isDeclared(k, k.NormalizeIdentity(text))
}

// addLinkTargetKinds notes the kinds whose live objects must have been read because names
// of them are to become IDs.
func (l *linkPlanner) addLinkTargetKinds(r *config.Resource, needed map[string]*hcl.Range) {
	for _, i := range l.linkAttrs(r.Kind) {
		a := &r.Kind.Attrs[i]
		for _, m := range a.References(*r.Value.PointerAt(i)) {
			if k := l.kinds[m.Attr.Link.RefKind]; k != nil && k.NamesRepeat && needed[k.Name] == nil && !l.isRemoteID(m.Attr, k, m.Name) {
				rng := r.Block.RangeOf(a.Name)
				needed[k.Name] = &rng
			}
		}
	}
}

// noteUnreplaced notes that a live object stays what is declared, where others name such
// objects.
func (l *linkPlanner) noteUnreplaced(r *config.Resource, h match) {
	if len(l.resourcesWithLinks) > 0 && r.Kind.NamesRepeat {
		l.unreplacedResources[objectIDOf(h.object)], l.unreplacedIDs[r.Addr] = r, h.object.ID
	}
}

// linkTargets lists what a live object links to: by its ID, or by a name that nothing else
// has.
func (l *linkPlanner) linkTargets(k *kind.Kind, raw kind.Values) []objectID {
	var out []objectID
	for _, m := range l.linkReferences(k, raw) {
		out = append(out, objectID{m.Attr.Link.RefKind, m.Name})
	}
	return out
}
