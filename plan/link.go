package plan

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// Some attributes name objects whose names are shared, or that belong to other
// accounts (kind.Attr.Foreign). What is live there are IDs, and which of them a
// name stands for follows from the rest of the plan: such attributes are planned
// last.

// knots lists the attributes of a kind that are set last.
func (p *planner) knots(k *kind.Kind) []int {
	list, known := p.knotted[k]
	if !known {
		list = k.Links()
		p.knotted[k] = list
	}
	return list
}

// ties reports whether a resource gives a value to an attribute that is set last.
func (p *planner) ties(r *config.Resource) bool {
	return slices.ContainsFunc(p.knots(r.Kind), func(i int) bool { return !r.Value.At(i).IsNull() })
}

// mentions lists what the attributes of v that are set last name.
func (p *planner) mentions(k *kind.Kind, v kind.Values) []kind.Reference {
	var out []kind.Reference
	for _, i := range p.knots(k) {
		out = append(out, k.Attrs[i].References(*v.At(i))...)
	}
	return out
}

// renamed is a live object in which IDs have given way to names, as name has it.
func (p *planner) renamed(k *kind.Kind, live kind.Values, name func(by *kind.Attr, text string) string) kind.Values {
	knots := p.knots(k)
	if !slices.ContainsFunc(knots, func(i int) bool { return live.At(i).IsKnown() && !live.At(i).IsNull() }) {
		return live
	}
	live = live.Clone()
	for _, i := range knots {
		v := k.Attrs[i].MapRefs(*live.At(i), name)
		live.Put(i, &v)
	}
	return live
}

// standing names what will be there when the plan is carried out: a declared
// object by its declared name, another one by its own if nothing shares that.
func (p *planner) standing(by *kind.Attr, id string) string {
	k := p.kinds[by.Ref]
	if k == nil || !k.NamesRepeat {
		return id // a name already, or an ID of another account
	}
	if r := p.stands[objectID{k.Name, id}]; r != nil {
		return r.Identity()
	}
	o := p.Snapshot.ByID(k, id)
	if o == nil || by.IsRemoteID(o.Identity) || len(p.Snapshot.ByIdentity(k, o.Identity)) > 1 {
		return id
	}
	if _, declared := p.declaredAs(k, o.Identity); declared {
		return id
	}
	return o.Identity
}

// recorded is like standing, but names what is declared also by the IDs of those
// objects of it that are, or will be, replaced.
func (p *planner) recorded(by *kind.Attr, id string) string {
	if r := p.ours(objectID{by.Ref, id}); r != nil && by.IsRemoteID != nil {
		return r.Identity()
	}
	return p.standing(by, id)
}

// ours is the declared resource under whose address the state records a live
// object; nil: there is none.
func (p *planner) ours(id objectID) *config.Resource {
	if owner := p.owner(id); owner != nil {
		return p.declaration(*owner)
	}
	return nil
}

// names brings the IDs of a live object into the form in which it is compared
// with r. What r itself names by its ID stays.
func (p *planner) names(r *config.Resource, live kind.Values, name func(by *kind.Attr, id string) string) kind.Values {
	if len(p.knots(r.Kind)) == 0 {
		return live
	}
	given := p.mentions(r.Kind, r.Value)
	return p.renamed(r.Kind, live, func(by *kind.Attr, id string) string {
		if slices.ContainsFunc(given, func(m kind.Reference) bool { return m.Name == id }) {
			return id
		}
		return name(by, id)
	})
}

// named is a live object with names as far as they say what the IDs would.
func (p *planner) named(r *config.Resource, raw kind.Values) kind.Values {
	if p.ties(r) {
		return p.names(r, raw, p.standing)
	}
	return p.names(r, raw, p.recorded) // nothing is compared with it
}

// tie notes what a live object stands for and what it names, and gives the object
// as hazards see it, and the reason for an update that only follows others.
func (p *planner) tie(r *config.Resource, h match, action Action, raw kind.Values, fields []string) (judged kind.Values, reason string) {
	if action == NoOp || action == Update {
		p.stand(r, h)
	}
	if len(p.knots(r.Kind)) == 0 {
		return raw, ""
	}
	judged = p.names(r, raw, p.recorded)
	if action == Update {
		p.uses[r.Addr] = p.usesOf(r.Kind, raw)
		reason = p.follow(r, h, judged, fields)
	}
	return judged, reason
}

// follow is the reason for an update that names what takes the place of something
// live; "" where there is none. judged is the live object with the names of what
// will be replaced. An update that has no other reason is noted.
func (p *planner) follow(r *config.Resource, h match, judged kind.Values, fields []string) string {
	rest, _ := p.differ(r.Kind).diff(r.Value, judged, h.entry, r.IgnoreChanges)
	if len(rest) == len(fields) {
		return ""
	}
	var targets []addr.Addr
	for _, id := range p.uses[r.Addr] {
		if r := p.ours(id); r != nil && p.stands[id] == nil && !slices.Contains(targets, r.Addr) {
			targets = append(targets, r.Addr)
		}
	}
	slices.SortFunc(targets, addr.Addr.Compare)
	if len(rest) == 0 {
		p.follows[r.Addr] = targets
	}
	texts := make([]string, len(targets))
	for i, t := range targets {
		texts[i] = t.String() + " is made anew"
		if p.place[t] != "" {
			texts[i] = t.String() + " was made anew"
		}
	}
	return strings.Join(texts, ", ")
}

// checkShared refuses a name that several live objects have and no block.
func (p *planner) checkShared(r *config.Resource, c *Change, attr string, k *kind.Kind, name string) {
	found := p.Snapshot.ByIdentity(k, k.NormalizeIdentity(name))
	if _, declared := p.declaredAs(k, k.NormalizeIdentity(name)); declared || len(found) < 2 {
		return
	}
	ids := make([]string, len(found))
	for i, o := range found {
		ids[i] = o.ID
	}
	rng := r.Block.RangeOf(attr)
	p.errorf(&rng, "Several "+k.Plural+" have this name", "%s of %s names the %s %s, and B2 has several of that name: %s. Use the ID of the one that is meant.",
		attr, r.Addr, k.Name, displayName(c, attr, name), strings.Join(ids, ", "))
}

// isID reports whether a text stands for itself.
func (p *planner) isID(by *kind.Attr, k *kind.Kind, text string) bool {
	if by.IsRemoteID == nil || !by.IsRemoteID(text) {
		return false
	}
	_, declared := p.declaredAs(k, k.NormalizeIdentity(text))
	return !declared
}

// needByName notes the kinds whose live objects must have been read because names
// of them are to become IDs.
func (p *planner) needByName(r *config.Resource, needed map[string]*hcl.Range) {
	for _, i := range p.knots(r.Kind) {
		a := &r.Kind.Attrs[i]
		for _, m := range a.References(*r.Value.At(i)) {
			if k := p.kinds[m.Attr.Ref]; k != nil && k.NamesRepeat && needed[k.Name] == nil && !p.isID(m.Attr, k, m.Name) {
				rng := r.Block.RangeOf(a.Name)
				needed[k.Name] = &rng
			}
		}
	}
}

// stand notes that a live object stays what is declared, where others name such
// objects.
func (p *planner) stand(r *config.Resource, h match) {
	if len(p.tied) > 0 && r.Kind.NamesRepeat {
		p.stands[idOf(h.object)], p.place[r.Addr] = r, h.object.ID
	}
}

// usesOf lists what a live object names: by its ID, or by a name that nothing else
// has.
func (p *planner) usesOf(k *kind.Kind, raw kind.Values) []objectID {
	var out []objectID
	for _, m := range p.mentions(k, raw) {
		out = append(out, objectID{m.Attr.Ref, m.Name})
	}
	return out
}
