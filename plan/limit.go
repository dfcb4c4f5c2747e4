package plan

import (
	"fmt"
	"slices"

	"b2form/schema/config"
)

// minRecordedForPercent is how many objects the state must record for a share of them to be a
// limit: of fewer, one is much already.
const minRecordedForPercent = 10

// An ExceededLimit is a limit that a plan goes over.
type ExceededLimit struct {
	config.ChangeLimit
	Planned int // what the plan comes to
	Allowed int // Most, or what the share comes to
}

// String says it in the middle of a sentence; something must follow.
func (e ExceededLimit) String() string {
	verb := map[string]string{"destroy": "destroys or replaces", "update": "updates", "replace": "replaces"}[e.Action]
	text := fmt.Sprintf("the plan %s %d of the objects here, and the limits block allows %d", verb, e.Planned, e.Allowed)
	if e.IsPercent {
		text += fmt.Sprintf(", which is %d%% of those that the state records,", e.Most)
	}
	return text
}

// OverLimits lists the limits that the plan goes over: what is destroyed and updated as the summary
// line counts it. recorded is how many objects the state records, predecessors included.
func (p *Plan) OverLimits(limits []config.ChangeLimit, recorded int) []ExceededLimit {
	counts := p.Counts()
	planned := map[string]int{"destroy": counts.Destroy, "update": counts.Change}
	for i := range p.Changes {
		if p.Changes[i].Action == Replace {
			planned["replace"]++
		}
	}
	var out []ExceededLimit
	for _, l := range limits {
		e := ExceededLimit{ChangeLimit: l, Planned: planned[l.Action], Allowed: l.Most}
		if l.IsPercent {
			e.Allowed = recorded * l.Most / 100
			if recorded < minRecordedForPercent {
				continue
			}
		}
		if e.Planned > e.Allowed {
			out = append(out, e)
		}
	}
	return slices.Clip(out)
}
