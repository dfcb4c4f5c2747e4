package view

import (
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/plan"
	"b2form/schema/kind"
)

// printOutputsSection says which outputs change.
func (p *linePrinter) printOutputsSection(made *plan.Plan) {
	if len(made.OutputChanges) == 0 {
		return
	}
	if !made.HasNoResourceChanges() {
		p.WriteByte('\n')
	}
	p.WriteString(p.style.paint("Changes to Outputs:", bold) + "\n")
	p.printOutputChanges(made)
	if made.HasNoResourceChanges() {
		p.WriteString("\n" + Wrap("You can apply this plan so that \"b2form output\" shows these values, without changing any real "+
			"infrastructure.", p.style.Width) + "\n")
	}
}

func (p *linePrinter) printOutputChanges(made *plan.Plan) {
	lines := make([]lineTree, len(made.OutputChanges))
	for i := range made.OutputChanges {
		lines[i] = outputLine(&made.OutputChanges[i])
	}
	p.printLines(lines, 0)
}

func outputLine(c *plan.OutputChange) lineTree {
	d := valueDiffer{literalFormatter{unknownText: func(cty.Value) string { return afterApply }}}
	name, sign := formatMapKey(c.Name), c.Action.Symbol()
	switch {
	case c.Sensitive && c.Action == plan.Delete:
		return lineTree{sign: sign, name: name, value: sensitive + " -> null"}
	case c.Sensitive:
		return lineTree{sign: sign, name: name, value: sensitive}
	case c.Action == plan.Delete && c.Before == cty.NilVal:
		return lineTree{sign: sign, name: name, value: "(not stored) -> null"}
	case c.Action == plan.Delete:
		return d.wholeValueLine(sign, name, c.Before, " -> null")
	case c.Action == plan.Create:
		return d.wholeValueLine(sign, name, c.After, "")
	case c.Before == cty.NilVal:
		return d.changedToLine(name, c.After)
	}
	return d.changeLine(name, c.Before, c.After)
}

// A valueDiffer shows values of any type, and how they change.
type valueDiffer struct{ literalFormatter }

// wholeValueLine shows a value, each of its parts on a line.
func (d valueDiffer) wholeValueLine(sign, name string, v cty.Value, end string) lineTree {
	if !hasShowableElements(v) {
		return lineTree{sign: sign, name: name, value: d.format(v, 0) + end}
	}
	v, _ = v.Unmark()
	l := lineTree{sign: sign, name: name, openBracket: "[", afterClosing: end}
	if v.Type().IsObjectType() || v.Type().IsMapType() {
		l.openBracket = "{"
		parts := v.AsValueMap()
		write := uniformKeyQuoter(parts)
		for _, key := range slices.Sorted(maps.Keys(parts)) {
			l.children = append(l.children, d.wholeValueLine(sign, write(key), parts[key], ""))
		}
		return l
	}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		l.children = append(l.children, d.wholeValueLine(sign, "", e, ","))
	}
	return l
}

// uniformKeyQuoter writes the names of parts: in quotes, unless all do without.
func uniformKeyQuoter(parts map[string]cty.Value) func(string) string {
	for name := range parts {
		if formatMapKey(name) != name {
			return quoteHCL
		}
	}
	return formatMapKey
}

// changedToLine shows a value that nobody knows, or nobody can tell in a few words, the change of.
func (d valueDiffer) changedToLine(name string, v cty.Value) lineTree {
	l := d.wholeValueLine("", name, v, "")
	l.sign = "~"
	return l
}

// hasShowableElements reports whether a value has parts that may be shown.
func hasShowableElements(v cty.Value) bool {
	plain, marks := v.Unmark()
	return !marks.Has(kind.Sensitive) && plain.IsKnown() && !plain.IsNull() && plain.CanIterateElements() && plain.LengthInt() > 0
}

// changeLine shows how a value becomes another one.
func (d valueDiffer) changeLine(name string, before, after cty.Value) lineTree {
	from, to := showableMembersIfAny(before), showableMembersIfAny(after)
	if from == nil || to == nil {
		old, text := d.format(before, 0), d.format(after, 0)
		if strings.Contains(old+text, "\n") {
			return d.changedToLine(name, after)
		}
		return lineTree{sign: "~", name: name, value: old + " -> " + text}
	}
	l := lineTree{sign: "~", name: name, openBracket: "{"}
	hidden := 0
	all := maps.Clone(from)
	maps.Copy(all, to)
	write := uniformKeyQuoter(all)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		old, had := from[key]
		e, has := to[key]
		switch {
		case !had:
			l.children = append(l.children, d.wholeValueLine("+", write(key), e, ""))
		case !has:
			l.children = append(l.children, d.wholeValueLine("-", write(key), old, " -> null"))
		case old.RawEquals(e):
			hidden++
		default:
			l.children = append(l.children, d.changeLine(write(key), old, e))
		}
	}
	l.children = append(l.children, hiddenCountLines(hidden, "element")...)
	return l
}

// showableMembersIfAny are those of a map or object with any; nil: it is none.
func showableMembersIfAny(v cty.Value) map[string]cty.Value {
	plain, _ := v.Unmark()
	if !hasShowableElements(v) || !plain.Type().IsObjectType() && !plain.Type().IsMapType() {
		return nil
	}
	return plain.AsValueMap()
}

// An outputChangeJSON is what programs are told of an output that changes: never its value.
type outputChangeJSON struct {
	Sensitive bool        `json:"sensitive"`
	Action    plan.Action `json:"action"`
}

// emitOutputChanges writes one line for all outputs that change.
func (j JSONUI) emitOutputChanges(p *plan.Plan) {
	if len(p.OutputChanges) == 0 {
		return
	}
	m := make(map[string]outputChangeJSON, len(p.OutputChanges))
	for i := range p.OutputChanges {
		m[p.OutputChanges[i].Name] = outputChangeJSON{p.OutputChanges[i].Sensitive, p.OutputChanges[i].Action}
	}
	j.emit("info", "Outputs: "+itoa(len(m)), "outputs", jsonFields{"outputs": m})
}
