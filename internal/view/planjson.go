package view

import (
	"encoding/json"
	"strings"

	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/internal/visible"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// PlanFormat is the version of the document that a PlanDocument is. A new first number may
// take something away.
const PlanFormat = "1.2"

// A PlanDocument is what a whole plan is shown from, in Terraform's JSON representation.
type PlanDocument struct {
	Version      string // of b2form
	Plan         *plan.Plan
	Config       *config.Config // nil: of a saved plan only what it changes is known
	Live         []LiveObject   // what the state records and is live; sorted by address
	Outputs      []Output
	Checks       []CheckResult // in order of their names
	Digest       string        // what the plan is approved by; "": nothing
	Capabilities []string      // what carrying it out takes; sorted
}

// A CheckResult is what came of one check block.
type CheckResult struct {
	Name   string // "check.private"
	Failed bool
	Said   []string // what its assertions say
}

// JSON is the document. It holds no value that is sensitive.
func (d PlanDocument) JSON() ([]byte, error) {
	out := jsonFields{
		"format_version": PlanFormat, "terraform_version": d.Version, "errored": false, "complete": len(d.Plan.LeftOut) == 0,
		"applyable": !d.Plan.Empty(), "planned_values": d.plannedValues(), "resource_changes": d.changes(), "resource_drift": d.drift(),
		"output_changes": d.outputChanges(), "prior_state": StateDocument(d.Version, d.Live), "checks": d.checks(),
		"variables": d.variables(),
		"b2form":    jsonFields{"digest": d.Digest, "steps": stepsJSON(d.Plan), "capabilities": append([]string{}, d.Capabilities...)},
	}
	b, err := json.Marshal(out)
	return visible.EscapeJSON(b), err
}

func (d PlanDocument) variables() jsonFields {
	out := jsonFields{}
	if d.Config == nil {
		return out
	}
	for name, v := range d.Config.NonsensitiveVariables {
		out[name] = jsonFields{"value": treeOf(v).value}
	}
	return out
}

// changes are all changes of the plan, in its order.
func (d PlanDocument) changes() []jsonFields {
	out := make([]jsonFields, len(d.Plan.Changes))
	for i := range d.Plan.Changes {
		c := &d.Plan.Changes[i]
		before, after := objectTree(c.Kind, c.Before, c.Sensitive), plannedTree(c)
		one := resourceJSON(c.Addr)
		change := jsonFields{"actions": terraformActions(c), "before": before.value, "before_sensitive": before.sensitiveOrFalse(),
			"after": after.value, "after_unknown": after.unknownOrFalse(), "after_sensitive": after.sensitiveOrFalse()}
		if c.Action == plan.Replace {
			paths := [][]string{}
			for _, f := range c.Fields {
				paths = append(paths, []string{f})
			}
			change["replace_paths"] = paths
		}
		if c.Import {
			change["importing"] = jsonFields{"id": c.ID}
		}
		if c.MovedFrom != (addr.Addr{}) {
			one["previous_address"] = c.MovedFrom.String()
		}
		one["change"], one["b2form_action"], one["b2form_fields"] = change, ActionName(c), append([]string{}, c.Fields...)
		one["b2form_reason"], one["b2form_hazards"] = c.Reason, hazardsJSON(c)
		one["b2form_deletes"] = namedJSON(c.Deletes())
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

// drift is what differs from what is declared: before as it is declared, after as it is live.
func (d PlanDocument) drift() []jsonFields {
	out := []jsonFields{}
	for i := range d.Plan.Changes {
		c := &d.Plan.Changes[i]
		if c.Action != plan.Update && c.Action != plan.Replace || len(c.Fields) == 0 {
			continue
		}
		declared, live := plannedTree(c), objectTree(c.Kind, c.Before, c.Sensitive)
		one := resourceJSON(c.Addr)
		one["change"] = jsonFields{"actions": []string{"update"}, "before": declared.value, "before_sensitive": declared.sensitiveOrFalse(),
			"after": live.value, "after_unknown": jsonFields{}, "after_sensitive": live.sensitiveOrFalse()}
		out = append(out, one)
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
	}
	return []string{string(c.Action)}
}

func (d PlanDocument) outputChanges() jsonFields {
	out := jsonFields{}
	for _, o := range d.Outputs {
		v := o.Value
		if o.Sensitive {
			v = v.Mark(kind.Sensitive)
		}
		t := treeOf(v)
		out[o.Name] = jsonFields{"actions": []string{"create"}, "before": nil, "before_sensitive": false, "after": t.value,
			"after_unknown": t.unknownOr(false), "after_sensitive": t.sensitiveOr(false)}
	}
	return out
}

func (d PlanDocument) checks() []jsonFields {
	out := []jsonFields{}
	for _, c := range d.Checks {
		status := "pass"
		problems := []jsonFields{}
		for _, text := range c.Said {
			problems = append(problems, jsonFields{"message": text})
		}
		if c.Failed {
			status = "fail"
		}
		i := strings.LastIndex(c.Name, "check.")
		address := jsonFields{"kind": "check", "to_display": c.Name, "name": c.Name[i+len("check."):]}
		out = append(out, jsonFields{"address": address, "status": status,
			"instances": []jsonFields{{"address": jsonFields{"to_display": c.Name}, "status": status, "problems": problems}}})
	}
	return out
}

// plannedValues is everything that is declared, as it will be.
func (d PlanDocument) plannedValues() jsonFields {
	planned := make(map[addr.Addr]*plan.Change, len(d.Plan.Changes))
	for i := range d.Plan.Changes {
		planned[d.Plan.Changes[i].Addr] = &d.Plan.Changes[i]
	}
	var tree moduleTree
	if d.Config == nil {
		for i := range d.Plan.Changes {
			if t := plannedTree(&d.Plan.Changes[i]); t.value != nil {
				tree.add(d.Plan.Changes[i].Addr, t)
			}
		}
		return jsonFields{"outputs": jsonFields{}, "root_module": tree.json()}
	}
	for _, r := range d.Config.Resources {
		t := objectTree(r.Kind, r.Value.Object(), r.SensitiveAttrs)
		switch c := planned[r.Addr]; {
		case c == nil:
		case c.Action == plan.Delete || c.Action == plan.Forget:
			continue
		default:
			t = plannedTree(c)
		}
		tree.add(r.Addr, t)
	}
	outputs := jsonFields{}
	for _, o := range d.Outputs {
		t := treeOf(o.Value)
		one := jsonFields{"sensitive": o.Sensitive}
		if !o.Sensitive && t.unknown == nil {
			one["value"] = t.value
			if b, err := ctyjson.MarshalType(o.Value.Type()); err == nil {
				one["type"] = json.RawMessage(b)
			}
		}
		outputs[o.Name] = one
	}
	return jsonFields{"outputs": outputs, "root_module": tree.json()}
}

// StateDocument is live objects in Terraform's JSON representation of a state.
func StateDocument(version string, live []LiveObject) map[string]any {
	var tree moduleTree
	for _, o := range live {
		if !o.Value.IsNull() {
			tree.add(o.Addr, objectTree(o.Kind, o.Value, o.Sensitive))
		}
	}
	return jsonFields{"format_version": "1.0", "terraform_version": version, "values": jsonFields{"root_module": tree.json()}}
}

// providerName stands for the program in Terraform's JSON.
const providerName = "b2form"

func resourceJSON(a addr.Addr) jsonFields {
	r := newResourceJSON(a)
	out := jsonFields{"address": r.Addr, "mode": "managed", "type": r.ResourceType, "name": r.ResourceName, "provider_name": providerName}
	if r.ResourceKey != nil {
		out["index"] = r.ResourceKey
	}
	if r.Module != "" {
		out["module_address"] = r.Module
	}
	return out
}

func stepsJSON(p *plan.Plan) []jsonFields {
	out := make([]jsonFields, len(p.Steps))
	for i := range p.Steps {
		out[i] = stepJSON(p, i)
	}
	return out
}
