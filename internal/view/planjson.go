package view

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/visible"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// PlanFormat is the version of the document that a PlanDocument is. A new first number may
// take something away.
const PlanFormat = "1.3"

// A PlanDocument is a whole plan in Terraform's JSON representation.
type PlanDocument struct {
	Version   string // of b2form
	Plan      *plan.Plan
	Variables map[string]cty.Value // those that are not sensitive
	Digest    string               // what the plan is approved by
	Context   PlanContext
}

// JSON is the document. It holds no value that is sensitive.
func (d PlanDocument) JSON() ([]byte, error) {
	trees := make([]changeTrees, len(d.Plan.Changes))
	for i := range d.Plan.Changes {
		c := &d.Plan.Changes[i]
		trees[i] = changeTrees{objectTree(c.Kind, c.Before, c.Sensitive), plannedTree(c)}
	}
	planned, prior := d.values(trees)
	out := jsonFields{
		"format_version": PlanFormat, "terraform_version": d.Version, "errored": false,
		"complete": len(d.Plan.LeftOut) == 0, "applyable": !d.Plan.Empty() || len(d.Plan.Outputs) > 0,
		"planned_values":   jsonFields{"outputs": d.plannedOutputs(), "root_module": planned},
		"prior_state":      stateJSON(d.Version, prior),
		"resource_changes": d.changes(trees), "resource_drift": d.drift(trees), "output_changes": d.outputChanges(), "checks": d.checks(),
		"variables": d.variables(),
		"b2form": jsonFields{"digest": d.Digest, "steps": stepsJSON(d.Plan), "exceptions": append([]Exception{}, d.Context.Exceptions...),
			"capabilities": append([]string{}, d.Context.Capabilities...)},
	}
	b, err := json.Marshal(out)
	return visible.EscapeJSON(b), err
}

func (d PlanDocument) variables() jsonFields {
	out := jsonFields{}
	for name, v := range d.Variables {
		out[name] = jsonFields{"value": treeOf(v).value}
	}
	return out
}

// A changeTrees is what a change makes of what.
type changeTrees struct{ before, after valueTree }

// A changeJSON says how one value becomes another one.
type changeJSON struct {
	Actions         []string        `json:"actions"`
	Before          json.RawMessage `json:"before"`
	BeforeSensitive json.RawMessage `json:"before_sensitive"`
	After           json.RawMessage `json:"after"`
	AfterUnknown    json.RawMessage `json:"after_unknown"`
	AfterSensitive  json.RawMessage `json:"after_sensitive"`
	ReplacePaths    [][]string      `json:"replace_paths,omitempty"`
	Importing       jsonFields      `json:"importing,omitempty"`
}

func newChangeJSON(before, after valueTree, actions ...string) changeJSON {
	return changeJSON{Actions: actions, Before: before.value, BeforeSensitive: before.sensitiveOrFalse(), After: after.value,
		AfterUnknown: after.unknownOrFalse(), AfterSensitive: after.sensitiveOrFalse()}
}

type resourceChange struct {
	resourceIdentity
	Change  changeJSON   `json:"change"`
	Action  string       `json:"b2form_action"`
	Fields  []string     `json:"b2form_fields"`
	Reason  string       `json:"b2form_reason"`
	Hazards []jsonFields `json:"b2form_hazards"`
	Deletes []jsonFields `json:"b2form_deletes"`
}

// changes are all changes of the plan, in its order.
func (d PlanDocument) changes(trees []changeTrees) []resourceChange {
	out := make([]resourceChange, len(d.Plan.Changes))
	for i := range d.Plan.Changes {
		c := &d.Plan.Changes[i]
		one := resourceChange{
			resourceIdentity: newResourceIdentity(c.Addr), Action: ActionName(c), Fields: append([]string{}, c.Fields...),
			Change: newChangeJSON(trees[i].before, trees[i].after, terraformActions(c)...),
			Reason: c.Reason, Hazards: hazardsJSON(c), Deletes: namedJSON(c.Deletes()),
		}
		if c.Action == plan.Replace {
			for _, f := range c.Fields {
				one.Change.ReplacePaths = append(one.Change.ReplacePaths, []string{f})
			}
		}
		if c.Import {
			one.Change.Importing = jsonFields{"id": c.ID}
		}
		if c.MovedFrom != (addr.Addr{}) {
			one.PreviousAddress = c.MovedFrom.String()
		}
		out[i] = one
	}
	return out
}

func hazardsJSON(c *plan.Change) []jsonFields {
	out := make([]jsonFields, len(c.Hazards))
	for i, h := range c.Hazards {
		out[i] = jsonFields{"hazard": h.Kind.Flag(), "detail": h.Detail}
	}
	return out
}

type resourceDrift struct {
	resourceIdentity
	Change changeJSON `json:"change"`
}

// drift is what changed outside: before as it is declared, after as it is live.
func (d PlanDocument) drift(trees []changeTrees) []resourceDrift {
	out := []resourceDrift{}
	declared := make(map[addr.Addr]shownObject, len(d.Context.Declared))
	for _, o := range d.Context.Declared {
		declared[o.Addr] = o
	}
	for i := range d.Plan.Changes {
		c := &d.Plan.Changes[i]
		action, changed := outsideAction(c)
		if !changed {
			continue
		}
		live := valueTree{}
		if action == plan.Update {
			live = trees[i].before
		}
		o := declared[c.Addr]
		out = append(out, resourceDrift{newResourceIdentity(c.Addr),
			newChangeJSON(valueTree{value: o.Values, sensitive: o.Sensitive}, live, string(action))})
	}
	return out
}

// terraformActions are the action in Terraform's words.
func terraformActions(c *plan.Change) []string {
	switch c.Action {
	case plan.Replace:
		return []string{"create", "delete"}
	case plan.Rotate:
		return []string{"create"}
	case plan.Refresh:
		return []string{"no-op"}
	}
	return []string{string(c.Action)}
}

func (d PlanDocument) outputChanges() jsonFields {
	out := jsonFields{}
	for name, o := range d.Context.Outputs {
		t := o.tree()
		out[name] = newChangeJSON(t, t, "no-op").ofOutput()
	}
	for i := range d.Plan.Outputs {
		c := &d.Plan.Outputs[i]
		out[c.Name] = newChangeJSON(outputTree(c.Before, c.Sensitive), outputTree(c.After, c.Sensitive), string(c.Action)).ofOutput()
	}
	return out
}

// ofOutput has false in the place of the objects that say of resources that nothing is unknown or sensitive.
func (c changeJSON) ofOutput() changeJSON {
	for _, text := range []*json.RawMessage{&c.BeforeSensitive, &c.AfterSensitive, &c.AfterUnknown} {
		if string(*text) == "{}" {
			*text = json.RawMessage("false")
		}
	}
	return c
}

func outputTree(v cty.Value, sensitive bool) valueTree {
	if sensitive && v != cty.NilVal {
		v = v.Mark(kind.Sensitive)
	}
	return treeOf(v)
}

// plannedOutputs are the outputs that there are after the plan.
func (d PlanDocument) plannedOutputs() map[string]shownOutput {
	out := maps.Clone(d.Context.Outputs)
	if out == nil {
		out = map[string]shownOutput{}
	}
	for i := range d.Plan.Outputs {
		c := &d.Plan.Outputs[i]
		if delete(out, c.Name); c.Action != plan.Delete {
			out[c.Name] = newShownOutput(c.After, c.Sensitive)
		}
	}
	return out
}

func (d PlanDocument) checks() []jsonFields {
	out := []jsonFields{}
	for _, c := range d.Context.Checks {
		status := "pass"
		problems := []jsonFields{}
		for _, text := range c.Said {
			status = "fail"
			problems = append(problems, jsonFields{"message": text})
		}
		address := jsonFields{"kind": "check", "to_display": c.Name, "name": c.Name[strings.LastIndex(c.Name, ".")+1:]}
		out = append(out, jsonFields{"address": address, "status": status,
			"instances": []jsonFields{{"address": jsonFields{"to_display": c.Name}, "status": status, "problems": problems}}})
	}
	return out
}

// values are all objects as they will be, and as they are.
func (d PlanDocument) values(trees []changeTrees) (planned, prior *moduleTree) {
	planned, prior = &moduleTree{}, &moduleTree{}
	unchanged := d.Context.Unchanged
	for i := range d.Plan.Changes {
		c := &d.Plan.Changes[i]
		for len(unchanged) > 0 && unchanged[0].Addr.Compare(c.Addr) < 0 {
			planned.add(unchanged[0])
			prior.add(unchanged[0])
			unchanged = unchanged[1:]
		}
		if t := trees[i].after; t.value != nil {
			planned.add(shownObject{c.Addr, t.value, t.sensitive})
		}
		if t := trees[i].before; t.value != nil {
			prior.add(shownObject{c.Addr, t.value, t.sensitive})
		}
	}
	for _, o := range unchanged {
		planned.add(o)
		prior.add(o)
	}
	return planned, prior
}

// StateDocument is live objects in Terraform's JSON representation of a state.
func StateDocument(version string, live []LiveObject) map[string]any {
	tree := &moduleTree{}
	for i := range live {
		if o := live[i].shown(); o.Values != nil {
			tree.add(o)
		}
	}
	return stateJSON(version, tree)
}

func stateJSON(version string, root *moduleTree) jsonFields {
	return jsonFields{"format_version": "1.0", "terraform_version": version, "values": jsonFields{"root_module": root}}
}

// ConfigDocument is a resolved configuration, in the same representation.
func ConfigDocument(version string, resources []*config.Resource) map[string]any {
	declared := make([]LiveObject, len(resources))
	for i, r := range resources {
		declared[i] = LiveObject{Addr: r.Addr, Kind: r.Kind, Value: r.Value.Object(), Sensitive: r.SensitiveAttrs}
	}
	return StateDocument(version, declared)
}

// A resourceIdentity says in Terraform's words which resource it is.
type resourceIdentity struct {
	Address         string `json:"address"`
	PreviousAddress string `json:"previous_address,omitempty"`
	Module          string `json:"module_address,omitempty"`
	Mode            string `json:"mode"`
	Type            string `json:"type"`
	Name            string `json:"name"`
	Index           any    `json:"index,omitempty"`
	Provider        string `json:"provider_name"`
}

func newResourceIdentity(a addr.Addr) resourceIdentity {
	return resourceIdentity{Address: a.String(), Module: a.Module, Mode: "managed", Type: a.Kind, Name: a.Label, Index: instanceKey(a),
		Provider: "b2form"}
}

func stepsJSON(p *plan.Plan) []jsonFields {
	out := make([]jsonFields, len(p.Steps))
	for i := range p.Steps {
		out[i] = stepJSON(p, i)
	}
	return out
}
