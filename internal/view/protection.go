package view

import (
	"fmt"

	"b2form/internal/visible"
	"b2form/plan"
)

// printProtectionSection says what the state records otherwise than before of the protection of objects.
func (p *linePrinter) printProtectionSection(made *plan.Plan) {
	if len(made.ProtectionChanges) == 0 {
		return
	}
	standsAlone := made.HasNoResourceChanges() && len(made.OutputChanges) == 0
	if !standsAlone {
		p.WriteByte('\n')
	}
	p.WriteString(p.style.paint("Changes to the State:", bold) + "\n")
	p.printProtectionChanges(made)
	if standsAlone {
		p.WriteString("\n" + Wrap("You can apply this plan so that the state knows these settings when a block is removed, without "+
			"changing any real infrastructure.", p.style.Width) + "\n")
	}
}

func (p *linePrinter) printProtectionChanges(made *plan.Plan) {
	lines := make([]lineTree, len(made.ProtectionChanges))
	for i, c := range made.ProtectionChanges {
		lines[i] = lineTree{sign: plan.Update.Symbol(), value: protectionLine(c.Addr.String(), c.Setting, c.Declared)}
	}
	p.printLines(lines, 0)
}

func protectionLine(address, setting string, declared bool) string {
	return fmt.Sprintf("%s: %s = %t -> %t", visible.EscapeLine(address), visible.EscapeLine(setting), !declared, declared)
}

type protectionChangeJSON struct {
	Resource resourceJSON `json:"resource"`
	Setting  string       `json:"setting"`
	Before   bool         `json:"before"`
	After    bool         `json:"after"`
}

func newProtectionChangeJSON(c *plan.ProtectionChange) protectionChangeJSON {
	return protectionChangeJSON{newResourceJSON(c.Addr), c.Setting, !c.Declared, c.Declared}
}

func (j JSONUI) emitProtectionChanges(p *plan.Plan) {
	for i := range p.ProtectionChanges {
		c := &p.ProtectionChanges[i]
		j.emit("info", "State: "+protectionLine(c.Addr.String(), c.Setting, c.Declared), "protection_change",
			jsonFields{"protection": newProtectionChangeJSON(c)})
	}
}
