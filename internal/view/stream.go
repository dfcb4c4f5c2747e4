package view

import (
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/apply"
	"b2form/internal/visible"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/kind"
)

// JSONUI speaks to programs: one object a line, in the shape of Terraform's
// machine-readable UI, everything on one stream. Values of attributes are never
// part of it.
type JSONUI struct {
	Out            io.Writer
	Now            func() time.Time
	ProgramVersion string // of b2form
}

type jsonFields map[string]any

func (j JSONUI) emit(level, message, lineType string, more jsonFields) error {
	m := jsonFields{
		"@level":     level,
		"@message":   message,
		"@module":    "b2form.ui",
		"@timestamp": j.Now().UTC().Format("2006-01-02T15:04:05.000000Z07:00"),
		"type":       lineType,
	}
	maps.Copy(m, more)
	_, err := j.Out.Write(append(visible.EscapeInvisibleInJSON(mustMarshal(m)), '\n'))
	return err // most pass over it: who closed the pipe reads no error either
}

// WriteVersion is the first line: which program speaks, and which edition of this
// format.
func (j JSONUI) WriteVersion() {
	j.emit("info", "b2form "+j.ProgramVersion, "version", jsonFields{"b2form": j.ProgramVersion, "ui": "1.6"})
}

// Note is a remark.
func (j JSONUI) Note(text string) { j.emit("info", visible.EscapeLines(text), "log", nil) }

// Hint says nothing: programs know what to run next.
func (j JSONUI) Hint(string) {}

// State tells where the state is kept, of a folder that may have several.
func (j JSONUI) State(place string) {
	j.emit("info", "The state is kept at "+visible.EscapeLine(place), "state", jsonFields{"state": place})
}

// Diagnostics writes one line each.
func (j JSONUI) Diagnostics(diags hcl.Diagnostics, files map[string]*hcl.File) {
	for _, d := range diags {
		level, word := "error", "Error: "
		if d.Severity == hcl.DiagWarning {
			level, word = "warn", "Warning: "
		}
		j.emit(level, word+visible.EscapeLine(d.Summary), "diagnostic", jsonFields{"diagnostic": DiagnosticJSON(d, files)})
	}
}

type resourceJSON struct {
	Addr            string `json:"addr"`
	Module          string `json:"module"`
	AddrInModule    string `json:"resource"`
	ImpliedProvider string `json:"implied_provider"`
	ResourceType    string `json:"resource_type"`
	ResourceName    string `json:"resource_name"`
	ResourceKey     any    `json:"resource_key"`
}

func newResourceJSON(a addr.Addr) resourceJSON {
	within := a
	within.Module = ""
	return resourceJSON{
		Addr: a.String(), Module: a.Module, AddrInModule: within.String(),
		ImpliedProvider: "b2", ResourceType: a.Kind, ResourceName: a.Label, ResourceKey: instanceKey(a),
	}
}

// instanceKey is a string or a number; nil: there is only one instance.
func instanceKey(a addr.Addr) any {
	switch v := a.Instance.Value(); {
	case v.IsNull():
		return nil
	case v.Type() == cty.String:
		return v.AsString()
	default:
		n, _ := v.AsBigFloat().Int64()
		return n
	}
}

// Plan writes one line per change, one per step, and the summary. The needs of a
// step are the indices of others.
func (j JSONUI) Plan(p *plan.Plan, m PlanPurpose) {
	j.emitOutsideChanges(p, m)
	for i := range p.Changes {
		c := &p.Changes[i]
		change := jsonFields{"resource": newResourceJSON(c.Addr), "action": ActionOrMove(c)}
		if c.Reason != "" {
			change["reason"] = c.Reason
		}
		if c.MovedFrom != (addr.Addr{}) {
			change["previous_resource"] = newResourceJSON(c.MovedFrom)
		}
		if c.Import {
			change["importing"] = jsonFields{"id": c.RemoteID}
		}
		if len(c.Hazards) > 0 {
			change["hazards"] = c.Hazards
		}
		if len(c.ImportedSiblings) > 0 {
			change["importing_family"] = namedObjectsJSON(c.ImportedSiblings)
		}
		if c.Action == plan.Delete || c.Action == plan.Replace {
			change["deletes"] = namedObjectsJSON([]plan.NamedObject{{ID: c.RemoteID, Name: c.LiveName}})
		}
		if len(c.FurtherDeletes) > 0 {
			change["also_deletes"] = namedObjectsJSON(c.FurtherDeletes)
		}
		if forgets := c.LeavesInB2(); len(forgets) > 0 {
			change["forgets"] = namedObjectsJSON(forgets)
		}
		if len(c.Overlapping) > 0 {
			change["overlap"] = jsonFields{"objects": namedObjectsJSON(c.Overlapping), "seconds": int(c.Overlap.Seconds())}
		}
		if len(c.Fields) > 0 {
			change["fields"] = c.Fields
		}
		if c.ConfigDrift != plan.DriftUnknown {
			change["configuration"] = c.ConfigDrift
		}
		j.emit("info", c.Addr.String()+": Plan to "+planVerb(c), "planned_change", jsonFields{"change": change})
	}
	for i := range p.Steps {
		j.emit("info", fmt.Sprintf("Step %d: %s", i, stepText(p, i)), "planned_step", jsonFields{"step": newStepJSON(p, i)})
	}
	j.emitOutputChanges(p)
	j.emitProtectionChanges(p)
	operation := "plan"
	switch m {
	case Planning:
	case Refreshing:
		operation = "refresh"
	default:
		operation = m.ApplyingCommandName()
	}
	j.emitSummary(p.Counts(), operation, PlanSummary(p.Counts()))
}

// A stepJSON is one step of a plan. Its needs are indices of others.
type stepJSON struct {
	Index       int          `json:"index"`
	Op          plan.Op      `json:"op"`
	Resource    resourceJSON `json:"resource"`
	Needs       []int        `json:"needs"`
	Fields      []string     `json:"fields,omitempty"`
	Member      string       `json:"member,omitempty"`
	RemoteID    string       `json:"target,omitempty"`
	DeletedName string       `json:"target_name,omitempty"`
}

func newStepJSON(p *plan.Plan, i int) stepJSON {
	s := &p.Steps[i]
	c := &p.Changes[s.Change]
	step := stepJSON{Index: i, Op: s.Op, Resource: newResourceJSON(c.Addr), Needs: append([]int{}, s.Needs...), Fields: s.Fields,
		Member: s.Member, RemoteID: s.RemoteID}
	if s.RemoteID != "" {
		step.DeletedName = c.DeletedName(s.RemoteID)
	}
	return step
}

// PlanDigest writes one line of its own.
func (j JSONUI) PlanDigest(d plan.Digest) {
	j.emit("info", "Plan digest: "+d.String(), "plan_digest", jsonFields{"digest": d.String()})
}

func namedObjectsJSON(list []plan.NamedObject) []jsonFields {
	out := make([]jsonFields, len(list))
	for i, o := range list {
		out[i] = jsonFields{"id": o.ID, "name": o.Name}
	}
	return out
}

// ActionOrMove is the action; a mere change of the address is called a move.
func ActionOrMove(c *plan.Change) string {
	if c.IsMoveOnly() {
		return "move"
	}
	return string(c.Action)
}

func planVerb(c *plan.Change) string {
	switch {
	case ActionOrMove(c) == "move":
		return "move"
	case len(c.Imports()) > 0 && c.Action == plan.NoOp:
		return "import"
	case c.Action == plan.NoOp:
		return "clean up"
	}
	return string(c.Action)
}

func (j JSONUI) emitSummary(n plan.Counts, operation, message string) {
	j.emit("info", message, "change_summary", jsonFields{"changes": jsonFields{
		"add": n.Add, "change": n.Change, "import": n.Import, "remove": n.Destroy, "forget": n.Forget, "operation": operation,
	}})
}

// Event is a step's progress.
func (j JSONUI) Event(e apply.Event) {
	hook := jsonFields{"resource": newResourceJSON(e.Addr), "action": e.Action}
	if e.RemoteID != "" && e.Kind != nil {
		hook["id_key"], hook["id_value"] = e.Kind.IDAttr, e.RemoteID
	}
	if e.DeletedName != "" {
		hook["name"] = e.DeletedName
	}
	level, name := "info", "apply_start"
	switch e.Stage {
	case apply.Emptying:
		name, hook["removed"] = "apply_progress", e.FilesRemoved
	case apply.Delivered:
		name, hook["delivered"] = "apply_progress", e.Destination
	case apply.KeyNotYetAccepted:
		name, hook["verified"] = "apply_progress", false
	case apply.VerifyEnded:
		name, hook["verified"] = "apply_progress", e.Err == nil
	case apply.Done:
		name = "apply_complete"
	case apply.Failed:
		level, name = "error", "apply_errored"
	}
	if e.Stage != apply.Started {
		hook["elapsed_seconds"] = int(e.Elapsed.Seconds())
	}
	j.emit(level, EventText(e), name, jsonFields{"hook": hook})
}

// Still says that a step is under way.
func (j JSONUI) Still(e apply.Event) {
	j.emit("info", stillText(e), "apply_progress", jsonFields{"hook": jsonFields{
		"resource": newResourceJSON(e.Addr), "action": e.Action, "elapsed_seconds": int(e.Elapsed.Seconds()),
	}})
}

// Done is the summary of what was done.
func (j JSONUI) Done(r *apply.Result, m PlanPurpose) {
	j.emitSummary(r.Counts, m.ApplyingCommandName(), DoneSummary(r, m))
}

// Outputs writes all outputs in one line; the values of sensitive ones only
// where reveal is set.
func (j JSONUI) Outputs(outs []Output, reveal bool) {
	m := make(map[string]OutputValue, len(outs))
	for _, o := range outs {
		v, err := o.JSON()
		if err != nil {
			j.Diagnostics(hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Output cannot be shown", Detail: err.Error()}}, nil)
			continue
		}
		if v.Sensitive && !reveal {
			v.Value = nil
		}
		m[o.Name] = v
	}
	j.emit("info", "Outputs: "+itoa(len(m)), "outputs", jsonFields{"outputs": m})
}

func holdsSensitive(v cty.Value) bool {
	_, marks := v.UnmarkDeep()
	_, found := marks[kind.Sensitive]
	return found
}

// ShowSecret shows a new key, once. It fails where the secret cannot be written.
func (j JSONUI) ShowSecret(made NewKey) error {
	return j.emit("info", made.Addr.String()+": Secret, shown this once", "secret", jsonFields{"secret": jsonFields{
		"resource": newResourceJSON(made.Addr), "application_key_id": made.KeyID, "application_key": made.Key.Reveal(),
	}})
}

// Deliveries says nothing: each was an event.
func (j JSONUI) Deliveries([]NewKey) {}
