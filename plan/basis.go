package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// computeBasis digests the plan and what it was made from: whole live objects, with their
// IDs and revisions, and the IDs behind every name that the changes use. What the
// plan does not touch does not matter. Values that a plan hides are in it by a hash, which is a slow
// one where there is a salt.
func (p *planner) computeBasis() {
	hash := sha256.New()
	hidden := &hiddenValues{}
	out := json.NewEncoder(hash) // sorts the keys of maps, as cty does those of objects
	account := p.Snapshot.Account
	err := out.Encode([]string{"b2form plan 2", account.Realm, account.ID})
	for i := range p.plan.Changes {
		d, digestErr := p.digestible(&p.plan.Changes[i], hidden)
		err = errors.Join(err, digestErr, out.Encode(d))
	}
	for _, part := range []any{p.plan.Steps, p.plan.Records, p.plan.Moves, p.plan.MovedIntents, p.plan.Undelivered, p.plan.LeftOut} {
		err = errors.Join(err, out.Encode(part))
	}
	if len(hidden.texts) > 0 {
		sum, hashErr := hidden.hash(p.DigestSalt)
		err = errors.Join(err, hashErr, out.Encode(sum))
		p.plan.Salted = len(p.DigestSalt) > 0
	}
	if err != nil {
		p.errorf(nil, "Plan cannot be digested", "%s. This is a defect of b2form.", sentence(err))
	}
	p.plan.Basis = hex.EncodeToString(hash.Sum(nil))
}

// A digestInput is a Change in the form that is hashed.
type digestInput struct {
	Addr        addr.Addr
	MovedFrom   string
	Action      Action
	Import      bool
	Identity    string
	ID          string
	LiveName    string
	Before      json.RawMessage
	Hidden      []string // attributes of Before that nobody could read
	After       json.RawMessage
	Fields      []string
	Sensitive   []string
	Reason      string
	Hazards     []kind.Hazard
	Deliver     []string
	Delivery    string
	Force       bool
	Imports     []Named
	Leftovers   []Named
	Retiring    []addr.Retiree
	Overlap     []Named
	OverlapTime string   `json:"OverlapOf"`
	NameIDs     []string // "bucket photos = 8d625e…"
}

func (p *planner) digestible(c *Change, hidden *hiddenValues) (digestInput, error) {
	d := digestInput{
		Addr: c.Addr, Action: c.Action, Import: c.Import, Identity: c.Identity, ID: c.ID, LiveName: c.LiveName,
		Hidden: hiddenIn(c.Before), Fields: c.Fields, Sensitive: c.Sensitive, Reason: c.Reason, Hazards: c.Hazards,
		Deliver: c.DeliverTo, Force: c.Force, Imports: c.Imports(), Leftovers: c.Leftovers, Retiring: c.Retiring,
	}
	if c.MovedFrom != (addr.Addr{}) {
		d.MovedFrom = c.MovedFrom.String()
	}
	if len(c.Overlapping) > 0 || c.Overlap > 0 {
		d.Overlap, d.OverlapTime = c.Overlapping, c.Overlap.String()
	}
	if r := p.declaration(c.Addr); r != nil {
		d.Delivery = DeliveryDigest(r)
		if slices.ContainsFunc(r.Deliver, func(to config.Delivery) bool { return to.Sensitive }) {
			hidden.texts = append(hidden.texts, d.Delivery)
			d.Delivery = ""
		}
	}
	if !c.After.IsNull() {
		d.NameIDs = p.nameIDs(c)
	}
	before, err := p.withoutVolatile(c)
	if err != nil {
		return d, err
	}
	before, err = hidden.takeFrom(c, before)
	if err != nil {
		return d, err
	}
	after, err := hidden.takeFrom(c, c.After)
	if err != nil {
		return d, err
	}
	if d.Before, err = canonicalJSON(before); err != nil {
		return d, err
	}
	d.After, err = canonicalJSON(after)
	return d, err
}

// withoutVolatile is the live object without what b2form's own lock changes in it.
func (p *planner) withoutVolatile(c *Change) (cty.Value, error) {
	o := p.Snapshot.ByID(c.Kind, c.ID)
	if c.Kind.Volatile == nil || c.Before.IsNull() || o == nil {
		return c.Before, nil
	}
	live, err := o.Members()
	if err != nil {
		return c.Before, err
	}
	leased := c.Kind.Volatile(live)
	if len(leased) == 0 {
		return c.Before, nil
	}
	m := c.Before.AsValueMap()
	for _, name := range leased {
		m[name] = cty.NullVal(m[name].Type())
	}
	return cty.ObjectVal(m), nil
}

// canonicalJSON is the value as JSON: members sorted, sets in their own order,
// unknown as null.
func canonicalJSON(v cty.Value) (json.RawMessage, error) {
	if !v.IsWhollyKnown() {
		var err error
		v, err = cty.Transform(v, func(_ cty.Path, v cty.Value) (cty.Value, error) {
			if !v.IsKnown() {
				return cty.NullVal(v.Type()), nil
			}
			return v, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return ctyjson.Marshal(v, v.Type())
}

func hiddenIn(v cty.Value) []string {
	var out []string
	if v.IsNull() {
		return nil
	}
	for name := range v.Type().AttributeTypes() {
		if !v.GetAttr(name).IsWhollyKnown() {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// nameIDs resolves the names that a change uses, as far as they are live.
func (p *planner) nameIDs(c *Change) []string {
	var out []string
	visitReferences(c.Kind, c.After, func(_ string, m kind.Reference) {
		by, name := m.Attr, m.Name
		out = append(out, by.Link.RefKind+" "+name+" = "+strings.Join(p.idsNamed(by, name), " "))
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// idsNamed lists the live objects that a name may stand for: of a declared one whose
// name others may have, only itself, and nothing where it is to be made.
func (p *planner) idsNamed(by *kind.Attr, name string) (ids []string) {
	k := p.kinds[by.Link.RefKind]
	if k == nil || p.links.isID(by, k, name) {
		return nil
	}
	addr, declared := p.declaredAs(k, k.NormalizeIdentity(name))
	if k.NamesRepeat && declared {
		if id := p.links.currentIDs[addr]; id != "" {
			ids = append(ids, id)
		}
		return ids
	}
	for _, o := range p.Snapshot.ByIdentity(k, k.NormalizeIdentity(name)) {
		ids = append(ids, o.ID)
	}
	return ids
}
