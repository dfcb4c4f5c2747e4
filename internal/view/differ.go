package view

import (
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// changedLines shows how an attribute goes from one value to another.
func (b changeRenderer) changedLines(a *kind.Attr, before, after cty.Value) []lineTree {
	switch {
	case a.Secret:
		return []lineTree{{sign: "~", name: a.Name, value: sensitive}}
	case kind.IsNullOrEmptyCollection(before) && kind.IsNullOrEmptyCollection(after):
		return []lineTree{b.changeLine(a.Name, before, after)}
	case kind.IsNullOrEmptyCollection(before):
		return b.valueLines(a, "+", after)
	case kind.IsNullOrEmptyCollection(after):
		return b.valueLines(a, "-", before)
	case !before.IsKnown() && a.Object != nil:
		return b.valueLines(a, "+", after)
	case !before.IsKnown():
		return []lineTree{b.changeLine(a.Name, before, after)}
	case a.Object != nil && a.Many:
		return b.blockChanges(a, before, after)
	case a.Object != nil:
		return []lineTree{{sign: "~", name: a.Name, openBracket: "{", isBlock: true, children: b.memberChanges(a, before, after)}}
	case a.ValueType().IsMapType():
		return []lineTree{b.mapChange(a.Name, before, after)}
	case a.ValueType().IsPrimitiveType():
		return []lineTree{b.changeLine(a.Name, before, after)}
	}
	if from, to := b.summaryByConsoleName(a, before), b.summaryByConsoleName(a, after); from != "" && to != "" {
		return []lineTree{{sign: "~", name: a.Name, value: from + " -> " + to}}
	}
	return []lineTree{b.listChange(a.Name, before, after)}
}

func (b changeRenderer) changeLine(name string, before, after cty.Value) lineTree {
	return lineTree{sign: "~", name: name, value: b.format(before, 0) + " -> " + b.format(after, 0)}
}

// memberChanges shows what differs inside a nested object.
func (b changeRenderer) memberChanges(a *kind.Attr, before, after cty.Value) []lineTree {
	var out []lineTree
	hidden := 0
	for i := range a.Object {
		m := &a.Object[i]
		from, to := before.GetAttr(m.Name), after.GetAttr(m.Name)
		switch {
		case !from.RawEquals(to):
			out = append(out, b.changedLines(m, from, to)...)
		case i == 0:
			out = append(out, b.valueLines(m, "", to)...) // the first member names the element
		case !kind.IsNullOrEmptyCollection(to):
			hidden++
		}
	}
	return append(out, hiddenCountLines(hidden, "member")...)
}

// blockChanges shows how a list of nested objects changes. The first member names an
// element (a lifecycle rule's prefix, a CORS rule's name): elements of one name
// are compared with each other, in their order.
func (b changeRenderer) blockChanges(a *kind.Attr, before, after cty.Value) []lineTree {
	old := before.AsValueSlice()
	used := make([]bool, len(old))
	var kept []lineTree
	hidden, moved, last := 0, false, -1
	for _, e := range after.AsValueSlice() {
		i := b.findCounterpart(a, old, used, e)
		if i < 0 {
			kept = append(kept, b.valueLines(elementAttr(a), "+", e)...)
			continue
		}
		used[i] = true
		moved = moved || i < last
		last = i
		if old[i].RawEquals(e) {
			hidden++
			continue
		}
		kept = append(kept, lineTree{sign: "~", name: a.Name, openBracket: "{", isBlock: true, children: b.memberChanges(a, old[i], e)})
	}
	var out []lineTree
	for i, e := range old {
		if !used[i] {
			out = append(out, b.valueLines(elementAttr(a), "-", e)...)
		}
	}
	out = append(out, kept...)
	if moved {
		out = append(out, commentLine("(the order of "+a.Name+" changes)"))
	}
	return append(out, hiddenCountLines(hidden, "block")...)
}

// findCounterpart finds the element that e is to be compared with: an equal one, else the
// first of its name. -1: there is none.
func (b changeRenderer) findCounterpart(a *kind.Attr, old []cty.Value, used []bool, e cty.Value) (indexInOld int) {
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

func elementAttr(a *kind.Attr) *kind.Attr {
	one := *a
	one.Many = false
	return &one
}

func (b changeRenderer) mapChange(name string, before, after cty.Value) lineTree {
	l := lineTree{sign: "~", name: name, openBracket: "{"}
	from, to := before.AsValueMap(), after.AsValueMap()
	all := make(map[string]cty.Value, len(from)+len(to))
	maps.Copy(all, from)
	maps.Copy(all, to)
	hidden := 0
	for _, key := range slices.Sorted(maps.Keys(all)) {
		old, had := from[key]
		val, has := to[key]
		k := quoteHCL(key)
		switch {
		case !had:
			l.children = append(l.children, lineTree{sign: "+", name: k, value: b.format(val, 0)})
		case !has:
			l.children = append(l.children, lineTree{sign: "-", name: k, value: b.format(old, 0) + " -> null"})
		case old.RawEquals(val):
			hidden++
		default:
			l.children = append(l.children, b.changeLine(k, old, val))
		}
	}
	l.children = append(l.children, hiddenCountLines(hidden, "element")...)
	return l
}

// listChange shows which elements of a list or set come and go. Where only the order
// differs, both lists are shown.
func (b changeRenderer) listChange(name string, before, after cty.Value) lineTree {
	l := lineTree{sign: "~", name: name, openBracket: "["}
	count := map[string]int{}
	for it := after.ElementIterator(); it.Next(); {
		_, e := it.Element()
		count[b.format(e, 0)]++
	}
	hidden := 0
	for it := before.ElementIterator(); it.Next(); {
		_, e := it.Element()
		text := b.format(e, 0)
		if count[text] > 0 {
			count[text]--
			hidden++
			continue
		}
		l.children = append(l.children, lineTree{sign: "-", value: text + ","})
	}
	for it := after.ElementIterator(); it.Next(); {
		_, e := it.Element()
		text := b.format(e, 0)
		if count[text] > 0 {
			count[text]--
			l.children = append(l.children, lineTree{sign: "+", value: text + ","})
		}
	}
	if len(l.children) == 0 {
		return b.changeLine(name, before, after)
	}
	l.children = append(l.children, hiddenCountLines(hidden, "element")...)
	return l
}
