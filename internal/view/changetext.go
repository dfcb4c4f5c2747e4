package view

import (
	"strings"

	"b2form/internal/visible"
	"b2form/plan"
)

// A ChangeText is what people are told of one change of a plan, without colour and without breaking lines.
type ChangeText struct {
	Heading string   // "bucket.photos will be created"
	Remarks []string // why, and what goes with it
	// Diff is the block of the change, with its signs in the first column as a unified diff has them, and ! where
	// something changes; "": no attribute is told of.
	Diff string
}

// NewChangeText puts a change into words. No value that is secret or sensitive is in them.
func NewChangeText(c *plan.Change) ChangeText {
	t := ChangeText{Heading: changeHeading(c)}
	for _, remark := range changeRemarks(c) {
		t.Remarks = append(t.Remarks, visible.EscapeLine(remark))
	}
	out := &linePrinter{asDiff: true}
	out.printBlock(c)
	t.Diff = out.String()
	return t
}

// OutputsDiff is how outputs change, as ChangeText.Diff; "": none does.
func OutputsDiff(p *plan.Plan) string {
	out := &linePrinter{asDiff: true}
	out.printOutputChanges(p)
	return out.String()
}

// ProtectionDiff is how what the state records of protection changes, as ChangeText.Diff; "": nothing does.
func ProtectionDiff(p *plan.Plan) string {
	out := &linePrinter{asDiff: true}
	out.printProtectionChanges(p)
	return out.String()
}

// ProtectionDiffLine is a line of a diff that says what the state records from now on.
func ProtectionDiffLine(address, setting string, declared bool) string {
	return diffSign(plan.Update.Symbol()) + "   " + protectionLine(address, setting, declared) + "\n"
}

// OutputDiffLine is a line of a diff that says what becomes of a name.
func OutputDiffLine(action plan.Action, name string) string {
	return diffSign(action.Symbol()) + "   " + formatMapKey(name) + "\n"
}

// diffSign is what stands in the first column of a diff for a sign.
func diffSign(sign string) string {
	switch strings.TrimSpace(sign) {
	case "+", "-":
		return strings.TrimSpace(sign)
	case "~", "+/-":
		return "!"
	}
	return " "
}
