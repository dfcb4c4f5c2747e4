package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// basisFormat begins what a basis is a digest of. It gets another number with every other form.
const basisFormat = "b2form plan 3"

// computeBasisAndSaved digests the plan and what it was made from: whole live objects, with their
// IDs and revisions, and the IDs behind every name that the changes use. What the
// plan does not touch does not matter. Values that a plan hides are in it by a hash, which is a slow
// one where there is a salt.
func (p *planner) computeBasisAndSaved() {
	hidden := &hiddenValues{}
	saved := &Saved{AccountID: p.Snapshot.Account.ID, Realm: p.Snapshot.Account.Realm}
	hash := newPlanHasher(saved)
	if p.FillSavedForm {
		saved.Changes = make([]SavedChange, 0, len(p.plan.Changes))
	}
	for i := range p.plan.Changes {
		c, err := p.savedChange(&p.plan.Changes[i], hidden)
		hash.err = errors.Join(hash.err, err)
		hash.add(c)
		if p.FillSavedForm {
			saved.Changes = append(saved.Changes, *c)
		}
	}
	for i := range p.plan.OutputChanges {
		o, err := hidden.savedOutput(&p.plan.OutputChanges[i])
		hash.err = errors.Join(hash.err, err)
		saved.OutputChanges = append(saved.OutputChanges, o)
	}
	saved.Steps, saved.Records, saved.Moves = p.plan.Steps, p.plan.Records, p.plan.Moves
	saved.MovedIntents, saved.Undelivered, saved.LeftOut = p.plan.MovedIntents, p.plan.Undelivered, p.plan.LeftOut
	saved.Protection, saved.Exceptions = p.plan.ProtectionChanges, p.savedExceptions()
	if len(hidden.textsToHash) > 0 {
		hashHidden := p.HashHidden
		if hashHidden == nil {
			hashHidden = HashSlowlyIfSalted
		}
		var err error
		saved.HiddenHash, err = hashHidden(hidden.textsToHash, p.DigestSalt)
		hash.err = errors.Join(hash.err, err)
		p.plan.Salted = len(p.DigestSalt) > 0
	}
	hash.addAllButChanges(saved)
	if hash.err != nil {
		p.errorf(nil, "Plan cannot be digested", "%s. This is a defect of b2form.", capitalizeError(hash.err))
	}
	p.plan.Basis = hash.sum()
	if p.FillSavedForm {
		p.plan.SavedForm = saved
	}
}

// A planHasher digests a plan part by part.
type planHasher struct {
	hash.Hash
	out *json.Encoder // sorts the keys of maps, as cty does those of objects
	err error
}

func newPlanHasher(s *Saved) *planHasher {
	h := &planHasher{Hash: sha256.New()}
	h.out = json.NewEncoder(h.Hash)
	h.add([]string{basisFormat, s.Realm, s.AccountID})
	return h
}

func (h *planHasher) add(part any) { h.err = errors.Join(h.err, h.out.Encode(part)) }

// addAllButChanges adds all but the changes.
func (h *planHasher) addAllButChanges(s *Saved) {
	rest := *s
	rest.Changes = nil
	h.add(&rest)
}

func (h *planHasher) sum() string { return hex.EncodeToString(h.Sum(nil)) }

func (p *planner) savedChange(c *Change, hidden *hiddenValues) (*SavedChange, error) {
	hidden.resetStandInNumbers()
	d := &SavedChange{
		Addr: c.Addr, Action: c.Action, Import: c.Import, Identity: c.Identity, RemoteID: c.RemoteID, LiveName: c.LiveName,
		Fields: c.Fields, IgnoredFieldsMadeAnew: c.IgnoredFieldsMadeAnew, Sensitive: c.Sensitive, Reason: c.Reason,
		Hazards:   slices.Clone(c.Hazards),
		DeliverTo: c.DeliverTo, ForceDestroy: c.ForceDestroy, LiveDrift: c.LiveDrift, ConfigDrift: c.ConfigDrift,
		ImportedSiblings:    c.ImportedSiblings,
		MaybeForeignDeletes: c.MaybeForeignDeletes,
		FurtherForgets:      c.FurtherForgets,
		FurtherDeletes:      c.FurtherDeletes, Retiring: c.Retiring, Overlapping: c.Overlapping,
		UnreadableBefore: unknownAttrNames(c.Before),
		UnknownAfter:     unknownAttrNames(c.After),
	}
	if c.MovedFrom != (addr.Addr{}) {
		d.MovedFrom = c.MovedFrom.String()
	}
	if c.Overlap > 0 {
		d.Overlap = c.Overlap.String()
	}
	if r := p.declaration(c.Addr); r != nil {
		digest, isHidden := deliveryApprovalDigest(r)
		if d.DeliveryDigest = digest; isHidden {
			hidden.textsToHash = append(hidden.textsToHash, d.DeliveryDigest)
			d.DeliveryDigest = ""
		}
		d.PreventDestroy = c.Action.MakesObject() && r.PreventDestroy
		if len(c.DeliverTo) > 0 {
			d.ProgramLimits = programLimits(r.Deliveries)
		}
	}
	for _, o := range c.FurtherDeletes {
		live, err := p.furtherDeleteBefore(c, o.ID, hidden)
		if err != nil {
			return d, err
		}
		d.FurtherDeletesBefore = append(d.FurtherDeletesBefore, live)
	}
	if !c.After.IsNull() {
		d.ReferencedNamesWithIDs = p.referencedNamesWithIDs(c, hidden)
	}
	before, err := p.beforeWithoutVolatile(c)
	if err != nil {
		return d, err
	}
	if d.Before, err = hidden.encodeAndCollectHidden(c, before, d.UnreadableBefore != nil); err != nil {
		return d, err
	}
	d.After, err = hidden.encodeAndCollectHidden(c, c.After, d.UnknownAfter != nil)
	return d, err
}

// programLimits say how long each program may take, and whether its output may be shown: that makes no delivery another one.
func programLimits(deliveries []config.Delivery) []string {
	var out []string
	for i := range deliveries {
		d := &deliveries[i]
		if len(d.Command) > 0 {
			out = append(out, fmt.Sprintf("%s: up to %s, output shown: %t", d.DisplayName, d.ProgramTimeout, d.ShowProgramOutput))
		}
	}
	return out
}

// savedExceptions are those from policies of all that is declared, as every plan shows them.
func (p *planner) savedExceptions() []SavedException {
	var out []SavedException
	for _, r := range p.Config.Resources {
		for _, x := range r.Exceptions {
			out = append(out, SavedException{r.Addr, x})
		}
	}
	return out
}

// furtherDeleteBefore is another object that the change deletes as it is live; null where it expired, or nobody can read it.
func (p *planner) furtherDeleteBefore(c *Change, id string, hidden *hiddenValues) (json.RawMessage, error) {
	live := cty.NullVal(c.Kind.LiveType())
	if o := p.Snapshot.ByID(c.Kind, id); o != nil {
		if v, err := o.Value(); err == nil {
			live = v
		}
	}
	return hidden.encodeAndCollectHidden(c, live, !live.IsWhollyKnown())
}

// beforeWithoutVolatile is the live object without what b2form's own lock changes in it.
func (p *planner) beforeWithoutVolatile(c *Change) (cty.Value, error) {
	o := p.Snapshot.ByID(c.Kind, c.RemoteID)
	if c.Kind.Volatile == nil || c.Before.IsNull() || o == nil {
		return c.Before, nil
	}
	live, err := o.JSONMembers()
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

// canonicalJSON is the value as JSON: members sorted, sets in their own order.
func canonicalJSON(v cty.Value) (json.RawMessage, error) { return ctyjson.Marshal(v, v.Type()) }

// unknownAsNull has null for what is not known.
func unknownAsNull(v cty.Value) (cty.Value, error) {
	return cty.Transform(v, func(_ cty.Path, v cty.Value) (cty.Value, error) {
		if !v.IsKnown() {
			return cty.NullVal(v.Type()), nil
		}
		return v, nil
	})
}

// unknownAttrNames names the attributes of an object that are not known, or not wholly.
func unknownAttrNames(v cty.Value) []string {
	if v.IsNull() || v.IsWhollyKnown() {
		return nil
	}
	var out []string
	for name := range v.Type().AttributeTypes() {
		if !v.GetAttr(name).IsWhollyKnown() {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// referencedNamesWithIDs resolves the names that a change uses, as far as they are live and not hidden.
func (p *planner) referencedNamesWithIDs(c *Change, hidden *hiddenValues) []string {
	var out []string
	visitReferences(c.Kind, c.After, func(attr string, m kind.Reference) {
		by, name := m.Attr, m.Name
		text := by.Link.RefKind + " " + name + " = " + strings.Join(p.liveIDsForName(by, name), " ")
		if slices.Contains(c.Sensitive, attr) {
			hidden.textsToHash = append(hidden.textsToHash, text)
			return
		}
		out = append(out, text)
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// liveIDsForName lists the live objects that a name may stand for: of a declared one whose
// name others may have, only itself, and nothing where it is to be made.
func (p *planner) liveIDsForName(by *kind.Attr, name string) (ids []string) {
	k := p.kinds[by.Link.RefKind]
	if k == nil || p.linkPlanner.isRemoteID(by, k, name) {
		return nil
	}
	addr, declared := p.declaredAddr(k, k.NormalizeIdentity(name))
	if k.NamesRepeat && declared {
		if id := p.linkPlanner.unreplacedIDs[addr]; id != "" {
			ids = append(ids, id)
		}
		return ids
	}
	for _, o := range p.Snapshot.ByIdentity(k, k.NormalizeIdentity(name)) {
		ids = append(ids, o.ID)
	}
	return ids
}
