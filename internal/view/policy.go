package view

import (
	"io"

	"b2form/internal/visible"
	"b2form/schema/addr"
	"b2form/schema/config"
)

// An Exception is a resource for which a policy does not hold.
type Exception struct {
	Addr addr.Addr `json:"address"`
	config.Exception
}

// ReportPolicyExceptions writes a line for each; nothing where there are none.
func (t TextUI) ReportPolicyExceptions(list []Exception) {
	if len(list) == 0 {
		return
	}
	text := "\n" + t.Style.paint("Exceptions from policies:", bold) + "\n"
	for _, x := range list {
		text += Wrap("  "+visible.EscapeLine(x.Addr.String()+": "+x.Policy+": "+x.Reason), t.Style.Width) + "\n"
	}
	io.WriteString(t.Out, text)
}

// ReportPolicyExceptions writes one line for each.
func (j JSONUI) ReportPolicyExceptions(list []Exception) {
	for _, x := range list {
		j.emit("info", visible.EscapeLine(x.Addr.String()+": excepted from "+x.Policy+": "+x.Reason), "policy_exception",
			jsonFields{"exception": jsonFields{
				"resource": newResourceJSON(x.Addr), "policy": x.Policy, "reason": x.Reason,
			}})
	}
}
