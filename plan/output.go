package plan

import (
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// A LastApply is what the state says of the last apply.
type LastApply struct {
	Salt          string // of the state's digests; "": it has none
	OutputDigests string // as OutputDigests gives them
	// SameConfigAndVariables says that it was of this very configuration, with these values of variables.
	SameConfigAndVariables bool
}

// An OutputChange is an output that will have another value, come or go.
type OutputChange struct {
	Name      string
	Action    Action // Create, Update or Delete
	Sensitive bool
	// Before and After are the values, unknown as far as nobody knows them. Before is cty.NilVal where
	// nobody knows what was applied, and on Create; After is on Delete.
	Before, After cty.Value
}

// OutputDigests stand for the values of outputs: "NAME:DIGEST" with spaces between, by name. Sensitive
// outputs have an empty digest: it could tell who guesses the value that he is right.
func OutputDigests(salt string, c *config.Config, s *kind.Snapshot, entries []addr.StateEntry) string {
	ids := make(map[addr.Addr]string, len(entries))
	for _, e := range entries {
		ids[e.Addr] = e.ID
	}
	declared := c.ResourcesByAddr()
	live := func(a addr.Addr) (map[string]cty.Value, bool) {
		if r := declared[a]; r != nil {
			return nonvolatileAttrsNotConfigured(r, s, ids[a])
		}
		return nil, false
	}
	var out []string
	for _, o := range c.Outputs {
		digest := ""
		if v, diags := o.Value(live); !diags.HasErrors() {
			digest = outputDigest(salt, o, v)
		}
		out = append(out, o.Name+":"+digest)
	}
	return strings.Join(out, " ")
}

func outputDigest(salt string, o *config.Output, v cty.Value) (digestOrEmpty string) {
	v, _ = v.UnmarkDeep()
	text, err := canonicalJSON(v)
	if o.Sensitive || salt == "" || err != nil {
		return ""
	}
	return saltedDigest(salt, "output "+o.Name, text, addr.ObjectDigestLength)
}

// judgeModulesAndPlanOutputs plans what becomes of the outputs, and reports what is wrong with them and with what goes in and out of
// modules. A plan that leaves out something of what is declared says nothing of them.
func (p *planner) judgeModulesAndPlanOutputs() {
	if p.RotationsOnly || p.RefreshOnly || p.ImportOnly != nil || len(p.Target)+len(p.Exclude) > 0 || p.diags.HasErrors() {
		return
	}
	if judge := p.Config.JudgeConditionsOfModules; judge != nil && !p.Destroy {
		if diags := judge(p.plannedUnconfiguredAttrs); diags.HasErrors() {
			p.diags = append(p.diags, diags...)
			return
		}
	}
	recorded := map[string]string{}
	for _, pair := range strings.Fields(p.Applied.OutputDigests) {
		name, digest, _ := strings.Cut(pair, ":")
		recorded[name] = digest
	}
	for _, o := range p.Config.Outputs {
		digest, was := recorded[o.Name]
		if !p.Destroy {
			delete(recorded, o.Name)
			p.planOutput(o, digest, was)
		}
	}
	for name := range recorded {
		c := OutputChange{Name: name, Action: Delete}
		if i := slices.IndexFunc(p.Config.Outputs, func(o *config.Output) bool { return o.Name == name }); i >= 0 {
			c.Sensitive, c.Before = p.Config.Outputs[i].Sensitive, p.appliedValueIfKnown(p.Config.Outputs[i], recorded[name])
		}
		p.plan.OutputChanges = append(p.plan.OutputChanges, c)
	}
	slices.SortFunc(p.plan.OutputChanges, func(a, b OutputChange) int { return strings.Compare(a.Name, b.Name) })
}

// planOutput plans one output that is declared. digest is what is recorded of it, if it was applied.
func (p *planner) planOutput(o *config.Output, recordedDigest string, wasRecorded bool) {
	after, diags := o.Value(p.plannedUnconfiguredAttrs)
	if diags.HasErrors() {
		p.diags = append(p.diags, diags...)
		return
	}
	if recordedDigest != "" && recordedDigest == outputDigest(p.Applied.Salt, o, after) {
		return
	}
	c := OutputChange{Name: o.Name, Action: Create, Sensitive: o.Sensitive, After: after}
	if wasRecorded || p.Applied.SameConfigAndVariables {
		c.Action, c.Before = Update, p.appliedValueIfKnown(o, recordedDigest)
		plain, _ := after.UnmarkDeep()
		isOpen := recordedDigest == "" && c.Before == cty.NilVal && plain.IsWhollyKnown() // nobody knows whether it changes
		if isOpen || c.Before != cty.NilVal && equalWithoutMarks(c.Before, after) {
			return
		}
	}
	p.plan.OutputChanges = append(p.plan.OutputChanges, c)
}

func equalWithoutMarks(a, b cty.Value) bool {
	a, _ = a.UnmarkDeep()
	b, _ = b.UnmarkDeep()
	return a.RawEquals(b)
}

// appliedValueIfKnown is the value of an output by what is live, where that is what was applied: digest is
// what is recorded of it. cty.NilVal: nobody knows.
func (p *planner) appliedValueIfKnown(o *config.Output, digest string) (valueOrNilVal cty.Value) {
	isAllLive := true
	v, diags := o.Value(func(a addr.Addr) (attrs map[string]cty.Value, found bool) {
		attrs, found = p.liveUnconfiguredAttrs(a)
		isAllLive = isAllLive && (found || p.declaration(a) == nil)
		return attrs, found
	})
	if !isAllLive || diags.HasErrors() ||
		!p.Applied.SameConfigAndVariables && (digest == "" || digest != outputDigest(p.Applied.Salt, o, v)) {
		return cty.NilVal
	}
	return v
}
