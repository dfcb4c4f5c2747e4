package report

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/kind"
)

// A jsonLine is what is read of a line of JSON.
type jsonLine struct {
	Type           string          `json:"type"`
	Message        string          `json:"@message"`
	ProgramVersion string          `json:"b2form"`
	FormatVersion  string          `json:"ui"`
	Diagnostic     view.Diagnostic `json:"diagnostic"`
	Change         struct {
		Resource jsonResource  `json:"resource"`
		Action   plan.Action   `json:"action"`
		Reason   string        `json:"reason"`
		Fields   []string      `json:"fields"`
		Hazards  []kind.Hazard `json:"hazards"`
	} `json:"change"`
	Counts struct {
		Add       int    `json:"add"`
		Change    int    `json:"change"`
		Import    int    `json:"import"`
		Remove    int    `json:"remove"`
		Forget    int    `json:"forget"`
		Operation string `json:"operation"`
	} `json:"changes"`
	Digest    string `json:"digest"`
	State     string `json:"state"`
	Exception struct {
		Resource jsonResource `json:"resource"`
		Policy   string       `json:"policy"`
		Reason   string       `json:"reason"`
	} `json:"exception"`
	Hook struct {
		Resource jsonResource `json:"resource"`
	} `json:"hook"`
	Outputs map[string]struct {
		Action plan.Action `json:"action"`
	} `json:"outputs"`
	Protection struct {
		Resource jsonResource `json:"resource"`
		Setting  string       `json:"setting"`
		After    bool         `json:"after"`
	} `json:"protection"`
}

type jsonResource struct {
	Addr string `json:"addr"`
}

// longestLine is more than any line has that was written by -json.
const longestLine = 64 << 20

// ReadJSONLines makes a run of the JSON lines that -json prints and -json-into writes. They hold no values, so the changes of
// the run have fields and no diff. The errors say what is wrong, to stand behind the name of the file.
func ReadJSONLines(from io.Reader) (*Run, error) {
	r := &Run{Command: "plan"}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, longestLine)
	number := 0
	for ; lines.Scan(); number++ {
		var l jsonLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("line %d is no JSON as \"-json-into=FILE\" writes it", number+1)
		}
		if number == 0 {
			if l.Type != "version" || l.ProgramVersion == "" {
				return nil, errors.New("it does not begin as what \"-json-into=FILE\" writes")
			}
			if format, _, _ := strings.Cut(l.FormatVersion, "."); format != "1" {
				return nil, fmt.Errorf("b2form %s wrote it in a later format, which that version reads", l.ProgramVersion)
			}
			r.ProgramVersion = l.ProgramVersion
		}
		r.add(&l)
	}
	switch {
	case errors.Is(lines.Err(), bufio.ErrTooLong):
		return nil, fmt.Errorf("line %d is longer than any that b2form writes", number+1)
	case lines.Err() != nil:
		return nil, lines.Err()
	case number == 0:
		return nil, errors.New("it is empty")
	}
	if r.errorCount() > 0 {
		r.ExitCode = 1
	}
	return r, nil
}

// add adds what a line says.
func (r *Run) add(l *jsonLine) {
	switch l.Type {
	case "state":
		r.State = visible.EscapeLine(l.State)
	case "diagnostic":
		r.Diagnostics = append(r.Diagnostics, l.Diagnostic)
	case "planned_change":
		r.addChange(l)
	case "resource_drift":
		d := Drift{Address: l.Change.Resource.Addr, Type: DriftChanged, Text: l.Change.Resource.Addr + " has changed"}
		if l.Change.Action == plan.Delete {
			d.Type, d.Text = DriftGone, d.Address+" has been deleted"
		}
		r.Drift = append(r.Drift, d)
	case "outputs":
		var names []string
		for name, o := range l.Outputs {
			if o.Action != "" {
				names = append(names, view.OutputDiffLine(o.Action, name))
			}
		}
		slices.Sort(names)
		r.OutputsDiff += strings.Join(names, "")
	case "protection_change":
		r.StateDiff += view.ProtectionDiffLine(l.Protection.Resource.Addr, l.Protection.Setting, l.Protection.After)
	case "change_summary":
		r.addSummary(l)
	case "plan_digest":
		r.Digest = l.Digest
	case "policy_exception":
		r.Exceptions = append(r.Exceptions, Exception{l.Exception.Resource.Addr, l.Exception.Policy, l.Exception.Reason})
	case "apply_errored":
		r.ensureApplyResult().Failed = append(r.ensureApplyResult().Failed, l.Hook.Resource.Addr)
	}
}

// ensurePlan is the plan of the run; a new one where there is none yet.
func (r *Run) ensurePlan() *Plan {
	if r.Planned == nil {
		r.Planned = &Plan{Summary: view.PlanSummary(plan.Counts{})}
	}
	return r.Planned
}

func (r *Run) ensureApplyResult() *ApplyResult {
	if r.Done == nil {
		r.Done = &ApplyResult{}
	}
	return r.Done
}

func (r *Run) addChange(l *jsonLine) {
	c := Change{Address: l.Change.Resource.Addr, Action: string(l.Change.Action), Symbol: l.Change.Action.Symbol(), Fields: l.Change.Fields,
		ChangeText: view.ChangeText{Heading: l.Message}}
	if l.Change.Reason != "" {
		c.Remarks = []string{"because " + l.Change.Reason}
	}
	for _, h := range l.Change.Hazards {
		if slices.Contains(kind.HazardKinds(), h.Kind) {
			c.Hazards = append(c.Hazards, Hazard{string(h.Kind), h.Kind.AllowFlagValue(), h.Detail})
		}
	}
	r.ensurePlan().Changes = append(r.ensurePlan().Changes, c)
}

// addSummary adds the counts of the plan, or of what was done: the same sort of line says both.
func (r *Run) addSummary(l *jsonLine) {
	n := plan.Counts{Import: l.Counts.Import, Add: l.Counts.Add, Change: l.Counts.Change, Destroy: l.Counts.Remove, Forget: l.Counts.Forget}
	if strings.HasPrefix(l.Message, "Plan:") {
		r.Command = "plan"
		r.ensurePlan().Counts, r.ensurePlan().Summary = n, view.PlanSummary(n)
		return
	}
	for _, m := range []view.PlanPurpose{view.Planning, view.Destroying, view.Rotating} {
		if l.Counts.Operation == m.ApplyingCommandName() {
			r.Command = m.ApplyingCommandName()
		}
	}
	done, end := r.ensureApplyResult(), "complete!"
	if done.Counts, done.Incomplete = n, !strings.Contains(l.Message, " complete! "); done.Incomplete {
		end = "incomplete."
	}
	done.Summary = fmt.Sprintf("%s %s Resources: %d added, %d changed, %d destroyed.", words.CapitalizeUnlessName(r.Command), end, n.Add,
		n.Change,
		n.Destroy)
}
