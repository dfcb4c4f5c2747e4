package plan_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"b2form/plan"
	"b2form/schema/kind"
)

// draw makes a value for one attribute from the descriptor's samples, or null.
func draw(t *rapid.T, a *kind.Attr) cty.Value {
	null := cty.NullVal(a.ValueType())
	switch {
	case !a.Required && rapid.Bool().Draw(t, a.Name+" is null"):
		return null
	case a.Object != nil:
		v := drawObject(t, a.Object)
		if a.Many {
			return cty.ListVal([]cty.Value{v})
		}
		return v
	case len(a.Samples) > 0:
		return rapid.SampledFrom(a.Samples).Draw(t, a.Name)
	}
	return cty.BoolVal(rapid.Bool().Draw(t, a.Name))
}

func drawObject(t *rapid.T, attrs []kind.Attr) cty.Value {
	m := map[string]cty.Value{}
	for i := range attrs {
		if !attrs[i].Computed {
			m[attrs[i].Name] = draw(t, &attrs[i])
		}
	}
	return cty.ObjectVal(m)
}

// drawValue makes a legal value of a kind with the given name.
func drawValue(t *rapid.T, k *kind.Kind, name string) cty.Value {
	m := drawObject(t, k.Attrs).AsValueMap()
	m["name"] = cty.StringVal(name)
	if name == shared {
		m["rotate"] = cty.NullVal(k.FindAttr("rotate").ValueType()) // what rotates has its name to itself
	}
	v, ps := k.NewCompleter().CompleteAndCheck(k.ValuesOf(cty.ObjectVal(m)), false)
	for _, p := range ps {
		if !p.Warning {
			t.Skip("not legal: ", p.Summary)
		}
	}
	return v.ObjectWithoutUnset()
}

// shared is a name that several objects and blocks have.
const shared = "name-shared"

// drawWorld makes an account, a configuration and a state that agree in some
// things and not in others.
func drawWorld(t *rapid.T) *world {
	w := newWorld(t)
	w.live(w.resource(w.bucket, "", w.declared(w.bucket, "acme-photos")), "id-acme-photos") // the samples refer to it
	for i := range rapid.IntRange(1, 6).Draw(t, "objects") {
		k := rapid.SampledFrom(w.kinds).Draw(t, "kind")
		name := fmt.Sprintf("name-%s-%d", k.Name, i)
		id := "id-" + name
		if k == w.key && rapid.IntRange(0, 2).Draw(t, "a name of several") == 0 {
			name = shared
		}
		wanted := w.resource(k, fmt.Sprintf("l%d", i), drawValue(t, k, name))
		there := wanted
		if rapid.Bool().Draw(t, "drift") {
			there = w.resource(k, wanted.Addr.Label, drawValue(t, k, name))
		}
		if rapid.Bool().Draw(t, "declared") {
			wanted.PreventDestroy = rapid.Bool().Draw(t, "protected")
			w.config.Resources = append(w.config.Resources, wanted)
		}
		copies := rapid.IntRange(0, 2).Draw(t, "copies")
		for n := range copies {
			if k == w.key || n == 0 {
				w.live(there, fmt.Sprintf("%s-%d", id, n))
			}
		}
		switch rapid.IntRange(0, 2).Draw(t, "known as") {
		case 1:
			w.own(wanted, fmt.Sprintf("%s-%d", id, rapid.IntRange(0, 2).Draw(t, "owned copy")))
		case 2:
			w.open = append(w.open, plan.AnnouncedCreate{Addr: wanted.Addr, Identity: name, AnnouncedAt: noon})
		}
	}
	return w
}

func (w *world) declared(k *kind.Kind, name string) cty.Value {
	m := map[string]cty.Value{}
	for _, a := range k.SettableAttrs() {
		m[a.Name] = cty.NullVal(a.ValueType())
	}
	m["name"] = cty.StringVal(name)
	return completed(k, m)
}

// The plan depends on what is there and not on the order in which it is listed,
// and nothing unrelated changes it.
func TestPlanIgnoresOrderAndStrangers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		text, basis := outcome(t, w)
		w.config.Resources = rapid.Permutation(w.config.Resources).Draw(t, "resources")
		w.entries = rapid.Permutation(w.entries).Draw(t, "entries")
		w.open = rapid.Permutation(w.open).Draw(t, "announced")
		for _, k := range w.kinds {
			w.live(w.resource(k, "", w.declared(k, "stranger")), "id-stranger")
			w.raw[k.Name] = rapid.Permutation(w.raw[k.Name]).Draw(t, k.Name)
		}
		again, basisAgain := outcome(t, w)
		if diff := cmp.Diff(text, again); diff != "" || basis != basisAgain {
			t.Fatalf("basis %s, then %s\n%s", basis, basisAgain, diff)
		}
	})
}

// Every change can be carried out: steps need only what comes before them.
func TestPlanCanBeOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		r := w.request()
		r.Destroy = rapid.Bool().Draw(t, "destroy")
		p, _ := plan.Make(r)
		if p == nil {
			return
		}
		steps := make([]int, len(p.Changes))
		for i, s := range p.Steps {
			steps[s.Change]++
			for _, need := range s.Needs {
				if need < 0 || need >= i {
					t.Fatalf("step %d needs %d", i, need)
				}
			}
		}
		for i, c := range p.Changes {
			if steps[i] == 0 && c.Action != plan.NoOp {
				t.Fatalf("nothing is done to %s %s", c.Action, c.Addr)
			}
		}
	})
}

// Where everything is live as declared and recorded, there is nothing to do.
func TestNothingToDoWhenAllIsAsDeclared(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.live(w.resource(w.bucket, "", w.declared(w.bucket, "acme-photos")), "id-acme-photos")
		k := rapid.SampledFrom(w.kinds).Draw(t, "kind")
		r := w.resource(k, "x", drawValue(t, k, "name-0"))
		w.config.Resources = append(w.config.Resources, r)
		w.live(r, "id-name-0")
		w.own(r, "id-name-0")
		if d := r.Kind.FindAttr("valid_duration"); d != nil && !r.Value.GetAttr("valid_duration").IsNull() {
			t.Skip("the expiry is B2's to compute")
		}
		p := w.plan()
		for _, c := range p.Changes {
			for _, f := range c.Fields {
				t.Logf("%s: %#v -> %#v", f, c.Before.GetAttr(f), c.After.GetAttr(f))
			}
		}
		if !p.HasNoResourceChanges() {
			t.Fatalf("%s: %v", p.Changes[0].Action, p.Changes[0].Fields)
		}
	})
}

// outcome is everything that a plan says.
func outcome(t *rapid.T, w *world) (text, basis string) {
	p, diags := plan.Make(w.request())
	for _, d := range diags {
		text += d.Error() + "\n"
	}
	if p == nil {
		return text, ""
	}
	for _, d := range p.Warnings {
		text += d.Error() + "\n"
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		text += fmt.Sprintln(c.Action, c.Addr, c.Import, c.Identity, c.RemoteID, c.Fields, c.Reason, c.Hazards, c.FurtherDeletes)
	}
	for _, s := range p.Steps {
		text += fmt.Sprintln(s)
	}
	return text + fmt.Sprintln(p.Records, p.Undelivered, p.Counts()), p.Basis
}
