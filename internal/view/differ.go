package view

import (
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// changedLines shows how an attribute goes from one value to another.
func (b changeView) changedLines(a *kind.Attr, before, after cty.Value) []line {
	switch {
	case a.Secret:
		return []line{{sign: "~", name: a.Name, value: sensitive}}
	case kind.IsNone(before) && kind.IsNone(after):
		return []line{{sign: "~", name: a.Name, value: b.write(before, 0) + " -> " + b.write(after, 0)}}
	case kind.IsNone(before):
		return b.valueLines(a, "+", after)
	case kind.IsNone(after):
		return b.valueLines(a, "-", before)
	case !before.IsKnown() && a.Object != nil:
		return b.valueLines(a, "+", after)
	case !before.IsKnown():
		return []line{{sign: "~", name: a.Name, value: b.write(before, 0) + " -> " + b.write(after, 0)}}
	case a.Object != nil && a.Many:
		return b.blockChanges(a, before, after)
	case a.Object != nil:
		return []line{{sign: "~", name: a.Name, open: "{", block: true, kids: b.memberChanges(a, before, after)}}
	case a.ValueType().IsMapType():
		return []line{b.mapChange(a.Name, before, after)}
	case a.ValueType().IsPrimitiveType():
		return []line{{sign: "~", name: a.Name, value: b.write(before, 0) + " -> " + b.write(after, 0)}}
	}
	if from, to := b.preset(a, before), b.preset(a, after); from != "" && to != "" {
		return []line{{sign: "~", name: a.Name, value: from + " -> " + to}}
	}
	return []line{b.listChange(a.Name, before, after)}
}

// memberChanges shows what differs inside a nested object.
func (b changeView) memberChanges(a *kind.Attr, before, after cty.Value) []line {
	var out []line
	hidden := 0
	for i := range a.Object {
		m := &a.Object[i]
		from, to := before.GetAttr(m.Name), after.GetAttr(m.Name)
		switch {
		case !from.RawEquals(to):
			out = append(out, b.changedLines(m, from, to)...)
		case i == 0:
			out = append(out, b.valueLines(m, "", to)...) // the first member names the element
		case !kind.IsNone(to):
			hidden++
		}
	}
	if hidden > 0 {
		out = append(out, comment("("+plural(hidden, "unchanged member", "unchanged members")+" hidden)"))
	}
	return out
}

// blockChanges shows how a list of nested objects changes. The first member names an
// element (a lifecycle rule's prefix, a CORS rule's name): elements of one name
// are compared with each other, in their order.
func (b changeView) blockChanges(a *kind.Attr, before, after cty.Value) []line {
	old := before.AsValueSlice()
	used := make([]bool, len(old))
	var kept []line
	hidden, moved, last := 0, false, -1
	for _, e := range after.AsValueSlice() {
		i := b.findPair(a, old, used, e)
		if i < 0 {
			kept = append(kept, b.valueLines(withoutMany(a), "+", e)...)
			continue
		}
		used[i] = true
		moved = moved || i < last
		last = i
		if old[i].RawEquals(e) {
			hidden++
			continue
		}
		kept = append(kept, line{sign: "~", name: a.Name, open: "{", block: true, kids: b.memberChanges(a, old[i], e)})
	}
	var out []line
	for i, e := range old {
		if !used[i] {
			out = append(out, b.valueLines(withoutMany(a), "-", e)...)
		}
	}
	out = append(out, kept...)
	if moved {
		out = append(out, comment("(the order of "+a.Name+" changes)"))
	}
	if hidden > 0 {
		out = append(out, comment("("+plural(hidden, "unchanged block", "unchanged blocks")+" hidden)"))
	}
	return out
}

// findPair finds the element that e is to be compared with: an equal one, else the
// first of its name. -1: there is none.
func (b changeView) findPair(a *kind.Attr, old []cty.Value, used []bool, e cty.Value) int {
	found := -1
	name := a.Object[0].Name
	for i, o := range old {
		switch {
		case used[i]:
		case o.RawEquals(e):
			return i
		case found < 0 && o.GetAttr(name).RawEquals(e.GetAttr(name)):
			found = i
		}
	}
	return found
}

func withoutMany(a *kind.Attr) *kind.Attr {
	one := *a
	one.Many = false
	return &one
}

func (b changeView) mapChange(name string, before, after cty.Value) line {
	l := line{sign: "~", name: name, open: "{"}
	from, to := before.AsValueMap(), after.AsValueMap()
	both := make(map[string]cty.Value, len(from)+len(to))
	for k, v := range from {
		both[k] = v
	}
	for k, v := range to {
		both[k] = v
	}
	hidden := 0
	for _, e := range entries(cty.MapVal(both)) {
		old, had := from[e.key]
		val, has := to[e.key]
		k := quote(e.key)
		switch {
		case !had:
			l.kids = append(l.kids, line{sign: "+", name: k, value: b.write(val, 0)})
		case !has:
			l.kids = append(l.kids, line{sign: "-", name: k, value: b.write(old, 0) + " -> null"})
		case old.RawEquals(val):
			hidden++
		default:
			l.kids = append(l.kids, line{sign: "~", name: k, value: b.write(old, 0) + " -> " + b.write(val, 0)})
		}
	}
	if hidden > 0 {
		l.kids = append(l.kids, comment("("+plural(hidden, "unchanged element", "unchanged elements")+" hidden)"))
	}
	return l
}

// listChange shows which elements of a list or set come and go. Where only the order
// differs, both lists are shown.
func (b changeView) listChange(name string, before, after cty.Value) line {
	l := line{sign: "~", name: name, open: "["}
	count := map[string]int{}
	for it := after.ElementIterator(); it.Next(); {
		_, e := it.Element()
		count[b.write(e, 0)]++
	}
	hidden := 0
	for it := before.ElementIterator(); it.Next(); {
		_, e := it.Element()
		text := b.write(e, 0)
		if count[text] > 0 {
			count[text]--
			hidden++
			continue
		}
		l.kids = append(l.kids, line{sign: "-", value: text + ","})
	}
	for it := after.ElementIterator(); it.Next(); {
		_, e := it.Element()
		text := b.write(e, 0)
		if count[text] > 0 {
			count[text]--
			l.kids = append(l.kids, line{sign: "+", value: text + ","})
		}
	}
	if len(l.kids) == 0 {
		return line{sign: "~", name: name, value: b.write(before, 0) + " -> " + b.write(after, 0)}
	}
	if hidden > 0 {
		l.kids = append(l.kids, comment("("+plural(hidden, "unchanged element", "unchanged elements")+" hidden)"))
	}
	return l
}
