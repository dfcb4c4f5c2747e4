package plan

import (
	"slices"

	"b2form/schema/addr"
	"b2form/schema/kind"
)

// An Op is what a step does.
type Op string

// The ops.
const (
	OpCreate Op = "create" // make the object, deliver its secret, record it
	OpVerify Op = "verify" // use the new credentials once; what is deleted in their favour waits for it
	OpUpdate Op = "update" // set attributes of a live object
	OpDelete Op = "delete" // delete one live object
	OpForget Op = "forget" // drop the state's entry
)

// A Step is one thing that is done to carry out a change. Steps are what is executed, changes are
// what is approved. Moves and records are no steps: they are written before the first one.
type Step struct {
	Change int      `json:"change"` // its change, an index in Plan.Changes
	Op     Op       `json:"op"`
	Fields []string `json:"fields,omitempty"` // create and update: the attributes that it sets, in the descriptor's order
	// of an update of one field: the only member of it that is set, while the others stay as they are live; "": all are set
	Member   string `json:"member,omitempty"`
	RemoteID string `json:"remote_id,omitempty"` // update and delete: the remote ID; "": what the create of the change makes
	// steps that must be done before, as indices in Plan.Steps; each is below its own. Sorted
	Needs []int `json:"needs,omitempty"`
}

// FieldPaths names what a create or an update sets: attributes, or the one member of an attribute.
func (s *Step) FieldPaths() []string {
	if s.Member == "" {
		return s.Fields
	}
	return []string{s.Fields[0] + "." + s.Member}
}

// changeStepIndices are the steps of one change, as indices in stepGraph.steps; none where there is no such step.
type changeStepIndices struct {
	create, verify, update, deferredUpdate, forget int
	deletes                                        []int // follow each other
}

const none = -1

// updateSteps lists the steps that give the object of the change its settings after it is made.
func (s *changeStepIndices) updateSteps() []int { return withoutNone(s.update, s.deferredUpdate) }

// firstCreateOrUpdateStep is the step with which a change that makes or updates an object begins.
func (s *changeStepIndices) firstCreateOrUpdateStep() (stepIndexOrNone int) {
	for _, i := range []int{s.create, s.update, s.deferredUpdate} {
		if i != none {
			return i
		}
	}
	return none
}

func withoutNone(steps ...int) []int {
	return slices.DeleteFunc(steps, func(i int) bool { return i == none })
}

// A stepGraph is the steps of a plan and their needs while they are worked out.
type stepGraph struct {
	*planner
	changeLookup     addrLookup // in plan.Changes
	steps            []Step     // without needs; those of a change follow each other
	stepsByChange    []changeStepIndices
	needs            []need
	lastCreateFields []string // what the last create sets
	fieldsBuf        []string // reused
}

// makeSteps works out what is done to carry out the changes, and in which order.
func (p *planner) makeSteps() {
	p.plan.Steps = p.newStepGraph().orderedSteps()
}

// newStepGraph works out the steps of the changes and what they need. Changes are sorted.
func (p *planner) newStepGraph() *stepGraph {
	changes := p.plan.Changes
	g := &stepGraph{
		planner:       p,
		changeLookup:  addrLookup{length: len(changes), addrAt: func(i int) *addr.Addr { return &changes[i].Addr }},
		steps:         make([]Step, 0, 2*len(changes)), // most changes have two: create and verify, or delete and forget
		stepsByChange: make([]changeStepIndices, len(changes)),
		needs:         make([]need, 0, 2*len(changes)),
	}
	for i := range changes {
		g.addStepsWithoutNeeds(i)
	}
	for i := range changes {
		g.addDeclaredNeeds(i)
		g.addDeferredUpdateNeeds(i)
		g.addNeedsWithinChange(i)
	}
	g.serializeNamesakeCreates()
	g.addLinkRemovalNeeds()
	g.addLiveReferenceNeeds()
	return g
}

// addStepsWithoutNeeds divides a change into its steps.
func (g *stepGraph) addStepsWithoutNeeds(i int) {
	c, s := &g.plan.Changes[i], changeStepIndices{none, none, none, none, none, nil}
	deferred := g.deferredFields(i)
	switch c.Action {
	case Create, Replace, Rotate:
		s.create = g.addStep(Step{Change: i, Op: OpCreate, Fields: g.createFields(c)})
		if c.Kind.Credential != nil {
			s.verify = g.addStep(Step{Change: i, Op: OpVerify})
		}
	case Update:
		now := c.Fields
		if c.Kind.FullUpdate {
			now = settableNames(c.Kind)
		}
		if now = without(now, deferred); len(now) > 0 {
			s.update = g.addStep(Step{Change: i, Op: OpUpdate, Fields: now, RemoteID: c.RemoteID})
		}
	}
	if len(deferred) > 0 {
		target := ""
		if c.Action == Update {
			target = c.RemoteID
		}
		s.deferredUpdate = g.addStep(Step{Change: i, Op: OpUpdate, Fields: deferred, RemoteID: target})
	}
	for _, o := range c.Deletes() {
		s.deletes = append(s.deletes, g.addStep(Step{Change: i, Op: OpDelete, RemoteID: o.ID}))
	}
	if deletesOrForgets(c) {
		s.forget = g.addStep(Step{Change: i, Op: OpForget})
	}
	g.stepsByChange[i] = s
}

func (g *stepGraph) addStep(s Step) (stepIndex int) {
	g.steps = append(g.steps, s)
	return len(g.steps) - 1
}

// Deletes lists what the change deletes: the object itself, or the one that is replaced, then what
// interrupted runs left.
func (c *Change) Deletes() []NamedObject {
	if c.Action == Delete || c.Action == Replace {
		return append([]NamedObject{{c.RemoteID, c.LiveName}}, c.FurtherDeletes...)
	}
	return c.FurtherDeletes
}

// LeavesInB2 lists what the change leaves in B2 and nobody manages any more: the object itself, unless it is gone,
// then FurtherForgets.
func (c *Change) LeavesInB2() []NamedObject {
	if c.Action != Forget || c.LiveName == "" || c.LiveDrift == Gone {
		return c.FurtherForgets
	}
	return append([]NamedObject{{c.RemoteID, c.LiveName}}, c.FurtherForgets...)
}

// DeletedName is what an object that the change deletes is called; "": it deletes no such object.
func (c *Change) DeletedName(id string) string {
	for _, o := range c.Deletes() {
		if o.ID == id {
			return o.Name
		}
	}
	return ""
}

// createsOrUpdates reports whether the change makes an object, or sets attributes of a live one.
func createsOrUpdates(c *Change) bool {
	return c.Action.MakesObject() || c.Action == Update
}

func deletesOrForgets(c *Change) bool { return c.Action == Delete || c.Action == Forget }

// createFields lists what a create sets: everything that has a value and is not set by an update later.
// Creates in a row that set the same share one list.
func (g *stepGraph) createFields(c *Change) []string {
	g.fieldsBuf = g.fieldsBuf[:0]
	declared := g.declaration(c.Addr).Value // the same as After, in less time
	for i := range c.Kind.Attrs {
		a := &c.Kind.Attrs[i]
		if a.Computed || a.Deferred || a.WirePath == "" && !isContentAttr(c.Kind, a.Name) {
			continue // nothing is sent
		}
		if !declared.PointerAt(i).IsNull() {
			g.fieldsBuf = append(g.fieldsBuf, a.Name)
		}
	}
	if !slices.Equal(g.fieldsBuf, g.lastCreateFields) {
		g.lastCreateFields = slices.Clone(g.fieldsBuf)
	}
	return g.lastCreateFields
}

// isContentAttr reports whether the attribute gives what a file holds.
func isContentAttr(k *kind.Kind, attr string) bool {
	return k.Content != nil && (attr == k.Content.TextAttr || attr == k.Content.SourceAttr)
}

// deferredFields lists the attributes that an update of their own sets: after a create all that B2 does
// not take there; of an update the links, where something that they lead to is done first.
func (g *stepGraph) deferredFields(i int) []string {
	c := &g.plan.Changes[i]
	if !createsOrUpdates(c) {
		return nil
	}
	var fields []string
	links := false
	for j := range c.Kind.Attrs {
		a := &c.Kind.Attrs[j]
		if !a.Deferred || c.Action == Update && !slices.Contains(c.Fields, a.Name) || c.Action != Update &&
			c.After.GetAttr(a.Name).IsNull() {
			continue
		}
		fields = append(fields, a.Name)
		links = links || a.IsDeferredLink()
	}
	if c.Action == Update && !(links && g.hasLinksToCreatedOrUpdated(i)) {
		return nil
	}
	return fields
}

// hasLinksToCreatedOrUpdated reports whether a link of the change's block leads to what is made or updated.
func (g *stepGraph) hasLinksToCreatedOrUpdated(i int) bool {
	found := false
	g.visitNeededChanges(i, g.declaration(g.plan.Changes[i].Addr).DeferredNeeds, func(to int) bool {
		found = found || createsOrUpdates(&g.plan.Changes[to])
		return createsOrUpdates(&g.plan.Changes[to])
	})
	return found
}

func settableNames(k *kind.Kind) []string {
	var names []string
	for _, a := range k.SettableAttrs() {
		names = append(names, a.Name)
	}
	return names
}

func without(list, drop []string) []string {
	if len(drop) == 0 {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(drop, s) })
}
