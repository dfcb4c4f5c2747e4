package view

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// PlanFormat is the version of the document that a PlanDocument is. A new first number may
// take something away.
const PlanFormat = "1.4"

// A PlanDocument is a whole plan in Terraform's JSON representation.
type PlanDocument struct {
	ProgramVersion        string // of b2form
	Plan                  *plan.Plan
	NonsensitiveVariables map[string]cty.Value // those that are not sensitive
	Digest                string               // what the plan is approved by
	Context               PlanContext
}

// Write writes the document, and a line feed. It holds no value that is sensitive.
func (d PlanDocument) Write(out io.Writer) error {
	trees := make([]changeTrees, len(d.Plan.Changes))
	for i := range d.Plan.Changes {
		c := &d.Plan.Changes[i]
		trees[i] = changeTrees{objectTree(c.Kind, c.Before, c.Sensitive), plannedValuesTree(c)}
	}
	planned, prior := &moduleTree{}, &stateDocument{programVersion: d.ProgramVersion}
	d.addValues(trees, planned, &prior.root)
	w := newJSONEncoder(out)
	w.object(func() {
		w.member("format_version", PlanFormat)
		w.member("terraform_version", d.ProgramVersion)
		w.member("variables", d.variables())
		w.name("planned_values")
		w.object(func() {
			w.member("outputs", d.plannedOutputs())
			w.name("root_module")
			planned.write(w)
		})
		w.name("resource_drift")
		d.writeDrift(w, trees)
		w.name("resource_changes")
		d.writeChanges(w, trees)
		w.name("output_changes")
		d.writeOutputChanges(w)
		w.name("prior_state")
		prior.write(w)
		w.members(jsonFields{"checks": d.checks(), "errored": false, "complete": len(d.Plan.LeftOut) == 0,
			"applyable": d.Plan.IsApplyable()})
		w.name("b2form")
		w.object(func() {
			w.members(jsonFields{"digest": d.Digest, "exceptions": append([]Exception{}, d.Context.Exceptions...),
				"capabilities": append([]string{}, d.Context.RequiredCapabilities...)})
			w.name("protection_changes")
			w.list(len(d.Plan.ProtectionChanges), func(i int) { w.value(newProtectionChangeJSON(&d.Plan.ProtectionChanges[i])) })
			w.name("steps")
			w.list(len(d.Plan.Steps), func(i int) { w.value(newStepJSON(d.Plan, i)) })
		})
	})
	_ = w.WriteByte('\n')
	return w.Flush()
}

func (d PlanDocument) variables() jsonFields {
	out := jsonFields{}
	for name, v := range d.NonsensitiveVariables {
		out[name] = jsonFields{"value": treeOf(v).value}
	}
	return out
}

// A changeTrees is what a change makes of what.
type changeTrees struct{ before, after valueTree }

// writeMembers says how one value becomes another one. none is said of values of which nothing is unknown or sensitive.
func (t changeTrees) writeMembers(w *jsonEncoder, actions []string, none string) {
	w.member("actions", actions)
	w.member("before", t.before.value)
	w.member("before_sensitive", defaultIfNil(t.before.sensitive, none))
	w.member("after", t.after.value)
	w.member("after_unknown", defaultIfNil(t.after.unknown, none))
	w.member("after_sensitive", defaultIfNil(t.after.sensitive, none))
}

type resourceChangeJSON struct {
	resourceAddressJSON
	Action  string       `json:"b2form_action"`
	Fields  []string     `json:"b2form_fields"`
	Reason  string       `json:"b2form_reason"`
	Hazards []jsonFields `json:"b2form_hazards"`
	Deletes []jsonFields `json:"b2form_deletes"`
	Forgets []jsonFields `json:"b2form_forgets"`
}

// replacePaths are the attributes that a replacement is made for.
func replacePaths(c *plan.Change) []string {
	if c.Action != plan.Replace {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.Fields), func(f string) bool { return slices.Contains(c.IgnoredFieldsMadeAnew, f) })
}

// writeChanges writes all changes of the plan, in its order.
func (d PlanDocument) writeChanges(w *jsonEncoder, trees []changeTrees) {
	w.list(len(trees), func(i int) {
		c := &d.Plan.Changes[i]
		one := resourceChangeJSON{resourceAddressJSON: newResourceAddressJSON(c.Addr), Action: ActionOrMove(c),
			Fields: append([]string{}, c.Fields...),
			Reason: c.Reason, Hazards: hazardsJSON(c), Deletes: namedObjectsJSON(c.Deletes()), Forgets: namedObjectsJSON(c.LeavesInB2())}
		if c.MovedFrom != (addr.Addr{}) {
			one.PreviousAddress = c.MovedFrom.String()
		}
		w.object(func() {
			w.members(one)
			w.name("change")
			w.object(func() {
				trees[i].writeMembers(w, terraformActions(c), "{}")
				if reasons := replacePaths(c); len(reasons) > 0 {
					w.name("replace_paths")
					w.list(len(reasons), func(i int) { w.value([]string{reasons[i]}) })
				}
				if c.Import {
					w.member("importing", jsonFields{"id": c.RemoteID})
				}
			})
		})
	})
}

func hazardsJSON(c *plan.Change) []jsonFields {
	out := make([]jsonFields, len(c.Hazards))
	for i, h := range c.Hazards {
		out[i] = jsonFields{"hazard": h.Kind.AllowFlagValue(), "detail": h.Detail}
	}
	return out
}

// writeDrift writes what changed outside: before as it is declared, after as it is live.
func (d PlanDocument) writeDrift(w *jsonEncoder, trees []changeTrees) {
	declared := make(map[addr.Addr]shownObject, len(d.Context.DeclaredValuesOfDrifted))
	for _, o := range d.Context.DeclaredValuesOfDrifted {
		declared[o.Addr] = o
	}
	w.begin('[')
	for i := range d.Plan.Changes {
		c := &d.Plan.Changes[i]
		action, changed := outsideAction(c)
		if !changed {
			continue
		}
		o := declared[c.Addr]
		drift := changeTrees{before: valueTree{value: o.Values, sensitive: o.Sensitive}}
		if action == plan.Update {
			drift.after = trees[i].before
		}
		w.next()
		w.object(func() {
			w.members(newResourceAddressJSON(c.Addr))
			w.name("change")
			w.object(func() { drift.writeMembers(w, []string{string(action)}, "{}") })
		})
	}
	w.end(']')
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

func (d PlanDocument) writeOutputChanges(w *jsonEncoder) {
	actions, trees := map[string]plan.Action{}, map[string]changeTrees{}
	for name, o := range d.Context.UnchangedOutputs {
		t := o.tree()
		actions[name], trees[name] = plan.NoOp, changeTrees{t, t}
	}
	for i := range d.Plan.OutputChanges {
		c := &d.Plan.OutputChanges[i]
		actions[c.Name] = c.Action
		trees[c.Name] = changeTrees{outputTree(c.Before, c.Sensitive), outputTree(c.After, c.Sensitive)}
	}
	w.object(func() {
		for _, name := range slices.Sorted(maps.Keys(trees)) {
			w.name(name)
			w.object(func() { trees[name].writeMembers(w, []string{string(actions[name])}, "false") })
		}
	})
}

func outputTree(v cty.Value, sensitive bool) valueTree {
	if sensitive && v != cty.NilVal {
		v = v.Mark(kind.Sensitive)
	}
	return treeOf(v)
}

// plannedOutputs are the outputs that there are after the plan.
func (d PlanDocument) plannedOutputs() map[string]shownOutput {
	out := maps.Clone(d.Context.UnchangedOutputs)
	if out == nil {
		out = map[string]shownOutput{}
	}
	for i := range d.Plan.OutputChanges {
		c := &d.Plan.OutputChanges[i]
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
		if c.Unknown {
			status = "unknown"
		}
		problems := []jsonFields{}
		for _, text := range c.FailureMessages {
			status = "fail"
			problems = append(problems, jsonFields{"message": text})
		}
		address := jsonFields{"kind": "check", "to_display": c.Name, "name": c.Name[strings.LastIndex(c.Name, ".")+1:]}
		out = append(out, jsonFields{"address": address, "status": status,
			"instances": []jsonFields{{"address": jsonFields{"to_display": c.Name}, "status": status, "problems": problems}}})
	}
	return out
}

// addValues adds all objects as they will be, and as they are.
func (d PlanDocument) addValues(trees []changeTrees, planned, prior *moduleTree) {
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
}

// A stateDocument is objects in Terraform's JSON representation of a state.
type stateDocument struct {
	programVersion string // of b2form
	root           moduleTree
}

// StateDocument is live objects in Terraform's JSON representation of a state.
func StateDocument(programVersion string, live []RecordedObject) json.Marshaler {
	d := &stateDocument{programVersion: programVersion}
	for i := range live {
		if o := live[i].shown(); o.Values != nil {
			d.root.add(o)
		}
	}
	return d
}

// ConfigDocument is a resolved configuration, in the same representation.
func ConfigDocument(programVersion string, resources []*config.Resource) json.Marshaler {
	declared := make([]RecordedObject, len(resources))
	for i, r := range resources {
		declared[i] = RecordedObject{Addr: r.Addr, Kind: r.Kind, LiveValue: r.Value.ObjectWithoutUnset(), SensitiveAttrs: r.SensitiveAttrs}
	}
	return StateDocument(programVersion, declared)
}

// MarshalJSON is what write writes.
func (d *stateDocument) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	w := newJSONEncoder(&b)
	d.write(w)
	err := w.Flush()
	return b.Bytes(), err
}

func (d *stateDocument) write(w *jsonEncoder) {
	w.object(func() {
		w.member("format_version", "1.0")
		w.member("terraform_version", d.programVersion)
		w.name("values")
		w.object(func() {
			w.name("root_module")
			d.root.write(w)
		})
	})
}

// A resourceAddressJSON says in Terraform's words which resource it is.
type resourceAddressJSON struct {
	Address         string `json:"address"`
	PreviousAddress string `json:"previous_address,omitempty"`
	Module          string `json:"module_address,omitempty"`
	Mode            string `json:"mode"`
	Type            string `json:"type"`
	Name            string `json:"name"`
	Index           any    `json:"index,omitempty"`
	Provider        string `json:"provider_name"`
}

func newResourceAddressJSON(a addr.Addr) resourceAddressJSON {
	return resourceAddressJSON{Address: a.String(), Module: a.Module, Mode: "managed", Type: a.Kind, Name: a.Label, Index: instanceKey(a),
		Provider: "b2form"}
}
