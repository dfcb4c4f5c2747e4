package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// attrHazards asks one attribute what going from before to after costs. What it says of
// a sensitive one may repeat the value and is left out.
func attrHazards(c *Change, a *kind.Attr, before, after cty.Value) []kind.Hazard {
	out := a.Hazards(before, after)
	if slices.Contains(c.Sensitive, a.Name) {
		for i := range out {
			out[i].Detail = "through " + a.Name + ", which is sensitive"
		}
	}
	return out
}

// changeHazards asks the attributes what the change costs. A create is judged by
// every attribute but only by what can be a cost although nothing existed.
func changeHazards(c *Change, before cty.Value) []kind.Hazard {
	var out []kind.Hazard
	if c.Action == Create {
		for _, a := range c.Kind.SettableAttrs() {
			if a.Hazards == nil {
				continue
			}
			out = append(out, attrHazards(c, a, cty.NilVal, c.After.GetAttr(a.Name))...)
		}
		return slices.DeleteFunc(out, func(h kind.Hazard) bool {
			return h.Kind != kind.ExposesFiles && h.Kind != kind.SendsFiles && h.Kind != kind.AccountWide && h.Kind != kind.Irreversible
		})
	}
	for _, name := range c.Fields {
		if a := c.Kind.FindAttr(name); a.Hazards != nil {
			out = append(out, attrHazards(c, a, before.GetAttr(name), c.After.GetAttr(name))...)
		}
	}
	return out
}

// deleteHazards says what it may cost that an object is replaced, and that others of its address are deleted.
func deleteHazards(r *config.Resource, h *match, c *Change) (hazards []kind.Hazard) {
	if r.Kind.Destroy.Hazards != nil && (c.Action == Replace && !h.isObjectRecovered() || len(h.overdueRetirees) > 0 ||
		len(c.MaybeForeignDeletes) > 0 || c.ForceDestroy) {
		hazards = r.Kind.Destroy.Hazards(ForceDestroys(r.Kind, r.Value), true)
	}
	for _, o := range c.MaybeForeignReplaced {
		when := "by a later run"
		switch {
		case slices.Contains(c.Deletes(), o):
			when = "by the run that takes it over"
		case slices.Contains(c.Overlapping, o):
			when = words.ExactDuration(c.Overlap) + " after its successor is delivered"
		}
		hazards = append(hazards, kind.Hazard{Kind: kind.RevokesAccess,
			Detail: fmt.Sprintf("%s %s is destroyed %s", c.Kind.Name, o.ID, when)})
	}
	return hazards
}

// isHarmless reports whether a hazard depends on an object that is the account's own.
func (p *planner) isHarmless(h kind.Hazard) bool {
	if h.UnlessAccountHasID == "" {
		return false
	}
	_, isOwn := p.Snapshot.NameUnlessNamesRepeat(h.UnlessAccountHasKind, h.UnlessAccountHasID)
	return isOwn
}

// sortUniqueHazards sorts hazards and drops repetitions.
func sortUniqueHazards(hs []kind.Hazard) []kind.Hazard {
	slices.SortFunc(hs, func(a, b kind.Hazard) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Detail, b.Detail))
	})
	return slices.Compact(hs)
}

// deletedIDAndName lists what is gone after the change has deleted the object with the remote ID, as live
// objects name it: by the ID, and by the name where that is nobody else's.
func (c *Change) deletedIDAndName(id string) []objectID {
	ends := []objectID{{c.Kind.Name, id}}
	if c.Action == Delete && id == c.RemoteID && !c.Kind.NamesRepeat {
		ends = append(ends, objectID{c.Kind.Name, c.Identity})
	}
	return ends
}

// updatesDeferredLinks reports whether an update changes an attribute that links to other objects.
func (c *Change) updatesDeferredLinks() bool {
	return c.Action == Update && slices.ContainsFunc(c.Fields, func(f string) bool { return c.Kind.FindAttr(f).IsDeferredLink() })
}

// addBrokenLinkHazards adds the hazard of an object that is deleted while another one, which
// stays as it is, names it.
func (p *planner) addBrokenLinkHazards() {
	ends, going, updated := map[objectID]*Change{}, map[objectID]bool{}, map[objectID]bool{}
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		for _, o := range c.Deletes() {
			for _, end := range c.deletedIDAndName(o.ID) {
				ends[end] = c
			}
		}
		going[objectID{c.Kind.Name, c.RemoteID}] = c.Action == Delete
		updated[objectID{c.Kind.Name, c.RemoteID}] = c.updatesDeferredLinks()
	}
	if len(ends) == 0 {
		return
	}
	for _, k := range p.Kinds {
		if len(p.linkPlanner.linkAttrs(k)) == 0 {
			continue
		}
		for _, object := range p.Snapshot.AllRead(k) {
			live, err := object.Values()
			if err != nil || going[objectIDOf(object)] || updated[objectIDOf(object)] {
				continue // what is unreadable and matters was reported
			}
			for _, m := range p.linkPlanner.linkReferences(k, live) {
				if c := ends[objectID{m.Attr.Link.RefKind, m.Name}]; c != nil {
					c.Hazards = sortUniqueHazards(append(c.Hazards, kind.Hazard{Kind: kind.WeakensProtection,
						Detail: fmt.Sprintf("%s %q names it in its %s, which stops working", k.Name, object.Identity,
							joinAttrNames(k, p.linkPlanner.linkAttrs(k)))}))
				}
			}
		}
	}
}

// joinAttrNames names the attributes.
func joinAttrNames(k *kind.Kind, attrIndices []int) string {
	names := make([]string, len(attrIndices))
	for i, a := range attrIndices {
		names[i] = k.Attrs[a].Name
	}
	return strings.Join(names, " or ")
}
