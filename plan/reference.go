package plan

import (
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// An identityKey is an object by its name.
type identityKey struct{ kind, identity string }

// visitReferences calls f with every name of another object in v, with the attribute
// of the top level in which it stands. v is not null; what is hidden is passed over.
func visitReferences(k *kind.Kind, v kind.AttrReader, f func(attr string, m kind.Reference)) {
	for i := range k.Attrs {
		a := &k.Attrs[i]
		if a.Computed || !a.HasRefs() {
			continue
		}
		for _, m := range a.References(v.GetAttr(a.Name)) {
			f(a.Name, m)
		}
	}
}

// checkReferencesExist reports names of objects that neither exist nor will, or that
// several have: B2 wants their IDs.
func (p *planner) checkReferencesExist(r *config.Resource, _ match, c *Change) {
	if r == nil || c.Action == NoOp || deletesOrForgets(c) {
		return
	}
	visitReferences(r.Kind, c.After, func(attr string, m kind.Reference) {
		by, name := m.Attr, m.Name
		k := p.kinds[by.Link.RefKind]
		if k == nil || c.Action == Update && !slices.Contains(c.Fields, attr) || p.linkPlanner.isRemoteID(by, k, name) {
			return
		}
		if k.NamesRepeat {
			p.linkPlanner.checkUnambiguousName(r, c, attr, k, m)
		}
		if p.mayExistOrIsDeclared(k, k.NormalizeIdentity(name)) {
			return
		}
		rng := referenceRange(r, attr, m)
		if o := p.Snapshot.ByID(k, name); o != nil {
			p.errorf(&rng, "An ID in place of a name",
				"%s of %s wants the name of a %[3]s, and has the ID of the %[3]s %[4]s. Write its name.", referencePath(attr, m), r.Addr,
				by.Link.RefKind, quoteUnlessSensitive(c.Sensitive, attr, o.Identity))
			return
		}
		p.errorf(&rng, "No such "+by.Link.RefKind,
			"%s of %s names the %s %s, which neither exists in this account nor is in the configuration. "+
				"Correct the name, or declare the %s.", referencePath(attr, m), r.Addr, by.Link.RefKind,
			quoteUnlessSensitive(c.Sensitive, attr, name),
			by.Link.RefKind)
	})
}

// checkReferencedNotDestroyed refuses to destroy what a declared resource refers to by its name, whether the resource
// changes or not. Links that stay as they are only stop working, which is a hazard.
func (p *planner) checkReferencedNotDestroyed() {
	destroyed, kinds := map[addr.Addr]bool{}, map[string]bool{}
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		if c.Action == Delete && p.declaration(c.Addr) == nil {
			destroyed[c.Addr], kinds[c.Kind.Name] = true, true
		}
	}
	if len(destroyed) == 0 {
		return
	}
	for _, r := range p.declared {
		visitReferences(r.Kind, r.Value, func(attr string, m kind.Reference) {
			kindName, k := m.Attr.Link.RefKind, p.kinds[m.Attr.Link.RefKind]
			if !kinds[kindName] || p.linkPlanner.isRemoteID(m.Attr, k, m.Name) {
				return
			}
			c := p.changeOf(r.Addr)
			stays := c == nil || c.Action == NoOp || c.Action == Update && !slices.Contains(c.Fields, attr)
			if stays && slices.ContainsFunc(p.linkPlanner.linkAttrs(r.Kind), func(i int) bool { return r.Kind.Attrs[i].Name == attr }) {
				return
			}
			owner := p.findOwnerBeingDestroyed(k, k.NormalizeIdentity(m.Name))
			if owner == nil || !destroyed[*owner] {
				return
			}
			rng := referenceRange(r, attr, m)
			p.errorf(&rng, "The "+kindName+" goes away", "%s of %s names the %s %s, which is destroyed by the same plan, since %s is "+
				"not in the configuration any more. Put that block back, or name another %s.", referencePath(attr, m), r.Addr, kindName,
				quoteUnlessSensitive(r.SensitiveAttrs, attr, m.Name), owner, kindName)
		})
	}
}

// referenceRange is where a name stands, as far as it is written out.
func referenceRange(r *config.Resource, attr string, m kind.Reference) hcl.Range {
	path := append(cty.GetAttrPath(attr), m.Path...)
	if last := len(path) - 1; last > 0 {
		if _, listed := path[last].(cty.IndexStep); listed { // lists of names are sorted
			path[last] = cty.IndexStep{Key: cty.StringVal(m.Name)}
		}
	}
	return r.Block.RangeAt(path)
}

// referencePath is an attribute with the members that lead to a name: replication.source.key.
func referencePath(attr string, m kind.Reference) string {
	for _, step := range m.Path {
		if member, ok := step.(cty.GetAttrStep); ok {
			attr += "." + member.Name
		}
	}
	return attr
}

// quoteUnlessSensitive is a name in an attribute, in quotes.
func quoteUnlessSensitive(sensitive []string, attr, name string) string {
	if slices.Contains(sensitive, attr) {
		return kind.SensitiveText
	}
	return strconv.Quote(name)
}

// findOwnerBeingDestroyed is the address whose removal destroys all that a name leads to; nil:
// something stays, or there is nothing.
func (p *planner) findOwnerBeingDestroyed(k *kind.Kind, identity string) (owner *addr.Addr) {
	if p.isDeclared(k, identity) {
		return nil
	}
	for _, o := range p.Snapshot.ByIdentity(k, identity) {
		owner = p.ownerAddr(objectIDOf(o))
		if owner == nil || p.declaration(*owner) != nil {
			return nil
		}
		if removed := p.Config.FindRemoval(*owner); removed != nil && !removed.Destroy {
			return nil
		}
	}
	return owner
}

// mayExistOrIsDeclared reports whether a name leads to something. Where the credentials do
// not show everything, it may.
func (p *planner) mayExistOrIsDeclared(k *kind.Kind, identity string) bool {
	if !p.Snapshot.WasReadAtAll(k) || p.credentialsLimited(k) || len(p.Snapshot.ByIdentity(k, identity)) > 0 {
		return true
	}
	return p.isDeclared(k, identity)
}

// declaredAddr finds the resource that a reference stands for: the one that declares an
// identity, or that has the address where several declare it.
func (p *planner) declaredAddr(k *kind.Kind, reference string) (a addr.Addr, found bool) {
	if r := p.declaredIdentities().FindUnique(k.Name, reference); r != nil {
		return r.Addr, true
	}
	return addr.Addr{}, false
}

// isDeclared reports whether a reference stands for something that is declared, though it
// may not say which of several.
func (p *planner) isDeclared(k *kind.Kind, reference string) bool {
	return len(p.declaredIdentities().AllWithIdentity(k.Name, reference)) > 0
}

// declaredIdentities indexes what is declared. Few plans ask, so that is done when the first one
// does.
func (p *planner) declaredIdentities() config.IdentityIndex {
	if p.declaredIdentityIndex == nil {
		p.declaredIdentityIndex = config.NewIdentityIndex(p.declared)
	}
	return p.declaredIdentityIndex
}
