package view

import (
	"encoding/json"
	"slices"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
)

// A PlanContext is what a plan does not change, and what was found beside it: with the plan it gives
// the whole of a PlanDocument. It can be stored as JSON, and holds no value that is sensitive.
type PlanContext struct {
	Unchanged               []shownObject          `json:"unchanged,omitempty"` // as they are live; sorted by address
	DeclaredValuesOfDrifted []shownObject          `json:"declared,omitempty"`  // of what changed outside, as it is declared; sorted
	UnchangedOutputs        map[string]shownOutput `json:"outputs,omitempty"`   // those that do not change
	Checks                  []CheckResult          `json:"checks,omitempty"`    // in order of their names
	Exceptions              []Exception            `json:"exceptions,omitempty"`
	RequiredCapabilities    []string               `json:"capabilities,omitempty"` // what carrying it out takes; sorted
}

// A CheckResult is what came of one check block.
type CheckResult struct {
	Name            string   `json:"name"`              // "check.private"
	FailureMessages []string `json:"said,omitempty"`    // what its assertions say that do not hold; nil: none fails
	Unknown         bool     `json:"unknown,omitempty"` // none fails, and of one it is not known yet
}

// A shownObject is the attributes of an object, and which of them are sensitive.
type shownObject struct {
	Addr      addr.Addr       `json:"address"`
	Values    json.RawMessage `json:"values"`
	Sensitive json.RawMessage `json:"sensitive,omitempty"`
}

// shown is the object as it is live; without values where it is not.
func (o *RecordedObject) shown() shownObject {
	t := objectTree(o.Kind, o.LiveValue, o.SensitiveAttrs)
	return shownObject{o.Addr, t.value, t.sensitive}
}

// A shownOutput is an output as Terraform's JSON shows it. Without a value it is sensitive, or not known.
type shownOutput struct {
	Sensitive bool            `json:"sensitive"`
	Type      json.RawMessage `json:"type,omitempty"`
	Value     json.RawMessage `json:"value,omitempty"`
}

func newShownOutput(v cty.Value, sensitive bool) shownOutput {
	o, t := shownOutput{Sensitive: sensitive}, treeOf(v)
	if sensitive || t.unknown != nil {
		return o
	}
	o.Value = defaultIfNil(t.value, "null")
	if b, err := ctyjson.MarshalType(v.Type()); err == nil {
		o.Type = b
	}
	return o
}

func (o shownOutput) tree() valueTree {
	t := valueTree{value: o.Value}
	if o.Sensitive {
		t.sensitive = json.RawMessage("true")
	} else if o.Value == nil {
		t.unknown = json.RawMessage("true")
	}
	return t
}

// NewPlanContext finds what a plan stands in. live is what the state records, sorted by address; outputs are
// those that the plan does not change.
func NewPlanContext(p *plan.Plan, resources []*config.Resource, live []RecordedObject, unchangedOutputs []Output) PlanContext {
	c := PlanContext{UnchangedOutputs: map[string]shownOutput{}}
	changed := make(map[addr.Addr]*plan.Change, len(p.Changes))
	for i := range p.Changes {
		one := &p.Changes[i]
		changed[one.Addr], changed[one.MovedFrom] = one, one
	}
	declared := make(map[addr.Addr]*config.Resource, len(resources))
	for _, r := range resources {
		declared[r.Addr] = r
		if one := changed[r.Addr]; one != nil {
			if _, outside := outsideAction(one); outside {
				c.DeclaredValuesOfDrifted = append(c.DeclaredValuesOfDrifted, declaredObject(r))
			}
		}
	}
	for i := range live {
		if o := &live[i]; changed[o.Addr] == nil && !o.LiveValue.IsNull() {
			r := declared[o.Addr]
			if _, leftOut := slices.BinarySearchFunc(p.LeftOut, o.Addr, addr.Addr.Compare); leftOut {
				r = nil
			}
			c.Unchanged = append(c.Unchanged, unchangedObject(o, r))
		}
	}
	for _, o := range unchangedOutputs {
		c.UnchangedOutputs[o.Name] = newShownOutput(o.Value, o.Sensitive)
	}
	return c
}

// unchangedObject is an object as it is live, in the words of the configuration, which it is as. r is nil where it is not.
func unchangedObject(o *RecordedObject, r *config.Resource) shownObject {
	var w objectTreeWriter
	for i := range o.Kind.Attrs {
		a := &o.Kind.Attrs[i]
		v := o.LiveValue.GetAttr(a.Name)
		if r != nil && !a.Computed && !r.KeepsLive(a) {
			v = r.Value.GetAttr(a.Name)
		}
		w.add(a.Name, treeOf(config.MarkSecretsAndSensitive(a, v, o.SensitiveAttrs)))
	}
	t := w.tree()
	return shownObject{o.Addr, t.value, t.sensitive}
}

// declaredObject is what the configuration says of an object: nothing of what it leaves as it is.
func declaredObject(r *config.Resource) shownObject {
	var w objectTreeWriter
	for i := range r.Kind.Attrs {
		a := &r.Kind.Attrs[i]
		v := cty.NullVal(a.ValueType())
		if !a.Computed && !r.KeepsLive(a) {
			v = r.Value.GetAttr(a.Name)
		}
		w.add(a.Name, treeOf(config.MarkSecretsAndSensitive(a, v, r.SensitiveAttrs)))
	}
	t := w.tree()
	return shownObject{r.Addr, t.value, t.sensitive}
}
