package view

import (
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/kind"
)

// outputs says which outputs change.
func (p *linePrinter) outputs(made *plan.Plan) {
	if len(made.Outputs) == 0 {
		return
	}
	if !made.Empty() {
		p.WriteByte('\n')
	}
	p.WriteString(p.style.paint("Changes to Outputs:", bold) + "\n")
	p.printOutputChanges(made)
	if made.Empty() {
		p.WriteString("\n" + Wrap("You can apply this plan so that \"b2form output\" shows these values, without changing any real "+
			"infrastructure.", p.style.Width) + "\n")
	}
}

func (p *linePrinter) printOutputChanges(made *plan.Plan) {
	lines := make([]lineTree, len(made.Outputs))
	for i := range made.Outputs {
		lines[i] = outputLine(&made.Outputs[i])
	}
	p.printLines(lines, 0)
}

func outputLine(c *plan.OutputChange) lineTree {
	d := valueDiffer{literalFormatter{unknownText: func(cty.Value) string { return afterApply }}}
	name, sign := mapKey(c.Name), c.Action.Symbol()
	switch {
	case c.Sensitive && c.Action == plan.Delete:
		return lineTree{sign: sign, name: name, value: sensitive + " -> null"}
	case c.Sensitive:
		return lineTree{sign: sign, name: name, value: sensitive}
	case c.Action == plan.Delete && c.Before == cty.NilVal:
		return lineTree{sign: sign, name: name, value: "(not stored) -> null"}
	case c.Action == plan.Delete:
		return d.whole(sign, name, c.Before, " -> null")
	case c.Action == plan.Create:
		return d.whole(sign, name, c.After, "")
	case c.Before == cty.NilVal:
		return d.renewed(name, c.After)
	}
	return d.changed(name, c.Before, c.After)
}

// A valueDiffer shows values of any type, and how they change.
type valueDiffer struct{ literalFormatter }

// whole shows a value, each of its parts on a line.
func (d valueDiffer) whole(sign, name string, v cty.Value, end string) lineTree {
	if !isNested(v) {
		return lineTree{sign: sign, name: name, value: d.format(v, 0) + end}
	}
	v, _ = v.Unmark()
	l := lineTree{sign: sign, name: name, openBracket: "[", afterClosing: end}
	if v.Type().IsObjectType() || v.Type().IsMapType() {
		l.openBracket = "{"
		parts := v.AsValueMap()
		write := uniformKeyQuoter(parts)
		for _, key := range slices.Sorted(maps.Keys(parts)) {
			l.children = append(l.children, d.whole(sign, write(key), parts[key], ""))
		}
		return l
	}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		l.children = append(l.children, d.whole(sign, "", e, ","))
	}
	return l
}

// uniformKeyQuoter writes the names of parts: in quotes, unless all do without.
func uniformKeyQuoter(parts map[string]cty.Value) func(string) string {
	for name := range parts {
		if mapKey(name) != name {
			return quoteHCL
		}
	}
	return mapKey
}

// renewed shows a value that nobody knows, or nobody can tell in a few words, the change of.
func (d valueDiffer) renewed(name string, v cty.Value) lineTree {
	l := d.whole("", name, v, "")
	l.sign = "~"
	return l
}

// isNested reports whether a value has parts that may be shown.
func isNested(v cty.Value) bool {
	plain, marks := v.Unmark()
	return !marks.Has(kind.Sensitive) && plain.IsKnown() && !plain.IsNull() && plain.CanIterateElements() && plain.LengthInt() > 0
}

// changed shows how a value becomes another one.
func (d valueDiffer) changed(name string, before, after cty.Value) lineTree {
	from, to := namedParts(before), namedParts(after)
	if from == nil || to == nil {
		old, text := d.format(before, 0), d.format(after, 0)
		if strings.Contains(old+text, "\n") {
			return d.renewed(name, after)
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
			l.children = append(l.children, d.whole("+", write(key), e, ""))
		case !has:
			l.children = append(l.children, d.whole("-", write(key), old, " -> null"))
		case old.RawEquals(e):
			hidden++
		default:
			l.children = append(l.children, d.changed(write(key), old, e))
		}
	}
	if hidden > 0 {
		l.children = append(l.children, commentLine("("+words.Count(hidden, "unchanged element", "unchanged elements")+" hidden)"))
	}
	return l
}

// namedParts are those of a map or object with any; nil: it is none.
func namedParts(v cty.Value) map[string]cty.Value {
	plain, _ := v.Unmark()
	if !isNested(v) || !plain.Type().IsObjectType() && !plain.Type().IsMapType() {
		return nil
	}
	return plain.AsValueMap()
}

// An outputChangeJSON is what programs are told of an output that changes: never its value.
type outputChangeJSON struct {
	Sensitive bool        `json:"sensitive"`
	Action    plan.Action `json:"action"`
}

// outputChanges writes one line for all outputs that change.
func (j JSONUI) outputChanges(p *plan.Plan) {
	if len(p.Outputs) == 0 {
		return
	}
	m := make(map[string]outputChangeJSON, len(p.Outputs))
	for i := range p.Outputs {
		m[p.Outputs[i].Name] = outputChangeJSON{p.Outputs[i].Sensitive, p.Outputs[i].Action}
	}
	j.emit("info", "Outputs: "+itoa(len(m)), "outputs", jsonFields{"outputs": m})
}
