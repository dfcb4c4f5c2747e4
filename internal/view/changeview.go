package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/visible"
	"b2form/plan"
	"b2form/schema/kind"
)

// A changeView turns one change into lines. Values of secret attributes are never
// looked at.
type changeView struct {
	literalWriter
	change  *plan.Change
	verbose bool // show what has a short name in full
	// computed shows what B2 made of an object that stays.
	computed bool
}

func newChangeView(c *plan.Change, verbose bool) changeView {
	hidden := func(cty.Value) string { return "(not readable with these credentials)" }
	return changeView{literalWriter: literalWriter{unknown: hidden}, change: c, verbose: verbose}
}

// lines is the inside of the change's block: attributes, then nested blocks in
// groups of one name.
func (b changeView) lines() []line {
	var out, groups []line
	hidden := 0
	for i := range b.change.Kind.Attrs {
		a := &b.change.Kind.Attrs[i]
		ls, skipped := b.attrLines(a)
		if skipped {
			hidden++
		}
		if slices.ContainsFunc(ls, func(l line) bool { return l.block }) {
			groups = append(append(groups, line{}), ls...)
			continue
		}
		out = append(out, ls...)
	}
	if hidden > 0 {
		out = append(out, comment("("+plural(hidden, "unchanged attribute", "unchanged attributes")+" hidden)"))
	}
	for _, d := range b.change.DeliverTo {
		out = append(out, comment("secret → "+d))
	}
	return append(out, groups...)
}

// attrLines shows one attribute; skipped says that it has an unchanged value that is
// not shown.
func (b changeView) attrLines(a *kind.Attr) (ls []line, skipped bool) {
	c := b.change
	if slices.Contains(c.Sensitive, a.Name) {
		hidden := *a
		hidden.Secret, hidden.Note, hidden.Encoding.LiveText = true, nil, nil
		a = &hidden
	}
	before, after := member(c.Before, a), member(c.After, a)
	switch c.Action {
	case plan.Create:
		return b.createdLines(a, after), false
	case plan.Delete:
		if a.Computed && a.Name != c.Kind.IDAttr {
			return nil, false
		}
		return b.withNote(a, before, b.valueLines(a, "-", before)), false
	case plan.NoOp:
		if a.Computed && (a.Secret || a.Name != c.Kind.IDAttr && !b.computed) {
			return nil, false
		}
		if a.Encoding.LiveText != nil && !c.Kind.ExpiryOf(c.Before).IsZero() {
			return []line{comment(a.Name + ": " + visible.Text(a.Encoding.LiveText(c.Before)))}, false
		}
		return b.withNote(a, before, b.valueLines(a, "", before)), false
	}
	if a.Computed {
		return b.replacedLines(a, before), false
	}
	if slices.Contains(c.Fields, a.Name) {
		ls := b.changedLines(a, before, after)
		if a.Encoding.LiveText != nil {
			ls = []line{{sign: "~", name: a.Name, value: "(" + visible.Text(a.Encoding.LiveText(c.Before)) + ") -> " + b.write(after, 0)}}
		}
		if isReplaced(c) && len(ls) > 0 && (c.Kind.Update == nil || a.Immutable) {
			ls[0].mark = "forces replacement"
		}
		return b.withNote(a, after, ls), false
	}
	if c.Kind.IsIdentityAttr(a.Name) {
		return b.valueLines(a, "", after), false
	}
	return nil, !kind.IsNone(after)
}

// member is an attribute of an object; null where the object is null or has no
// such attribute.
func member(v cty.Value, a *kind.Attr) cty.Value {
	if v == cty.NilVal || v.IsNull() || !v.Type().HasAttribute(a.Name) {
		return cty.NullVal(a.ValueType())
	}
	return v.GetAttr(a.Name)
}

// createdLines shows an attribute of an object that does not exist yet.
func (b changeView) createdLines(a *kind.Attr, after cty.Value) []line {
	switch {
	case a.Secret && a.Computed:
		return []line{{sign: "+", name: a.Name, value: sensitive}}
	case a.Computed && (a.FromAccount != nil || a.Encoding.Announced != nil && !a.Encoding.Announced(b.change.After)):
		return nil
	case a.Computed:
		return []line{{sign: "+", name: a.Name, value: afterApply}}
	}
	return b.withNote(a, after, b.valueLines(a, "+", after))
}

// replacedLines shows a computed attribute of an object that is updated (nothing) or
// replacedLines (its ID and secrets).
func (b changeView) replacedLines(a *kind.Attr, before cty.Value) []line {
	switch {
	case !isReplaced(b.change):
		return nil
	case a.Secret:
		return []line{{sign: "~", name: a.Name, value: sensitive}}
	case a.Name == b.change.Kind.IDAttr:
		return []line{{sign: "~", name: a.Name, value: b.write(before, 0) + " -> " + afterApply}}
	}
	return nil
}

// isReplaced reports whether another object takes the place of the one shown.
func isReplaced(c *plan.Change) bool { return c.Action == plan.Replace || c.Action == plan.Rotate }

// withNote puts the attribute's own explanation of its value above what shows it, or
// alone where the value says nothing.
func (b changeView) withNote(a *kind.Attr, v cty.Value, ls []line) []line {
	if a.Note == nil || !v.IsWhollyKnown() {
		return ls
	}
	note := a.Note(v)
	switch {
	case note == "":
		return ls
	case len(ls) == 0:
		return []line{comment(a.Name + ": " + note)}
	}
	return append([]line{comment(note)}, ls...)
}

// valueLines shows a value under one sign; nothing for one that says nothing.
func (b changeView) valueLines(a *kind.Attr, sign string, v cty.Value) []line {
	switch {
	case kind.IsNone(v), sign == "-" && !v.IsKnown():
		return nil
	case a.Secret:
		return []line{{sign: sign, name: a.Name, value: sensitive}}
	case !v.IsKnown() || a.Object == nil:
		return []line{b.leafLine(a, sign, v)}
	case !a.Many:
		return []line{{sign: sign, name: a.Name, open: "{", block: true, kids: b.memberLines(a, sign, v)}}
	}
	var out []line
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		out = append(out, line{sign: sign, name: a.Name, open: "{", block: true, kids: b.memberLines(a, sign, e)})
	}
	return out
}

func (b changeView) memberLines(a *kind.Attr, sign string, v cty.Value) []line {
	var out []line
	for i := range a.Object {
		out = append(out, b.valueLines(&a.Object[i], sign, v.GetAttr(a.Object[i].Name))...)
	}
	return out
}

// leafLine shows one value of an attribute that is no nested object.
func (b changeView) leafLine(a *kind.Attr, sign string, v cty.Value) line {
	name, gone := a.Name, ""
	if sign == "-" {
		gone = " -> null"
	}
	if !v.IsKnown() || v.Type().IsPrimitiveType() {
		return line{sign: sign, name: name, value: b.write(v, 0) + gone}
	}
	if v.Type().IsMapType() {
		l := line{sign: sign, name: name, open: "{", end: gone}
		for _, e := range entries(v) {
			l.kids = append(l.kids, line{sign: sign, name: quote(e.key), value: b.write(e.val, 0)})
		}
		return l
	}
	if text := b.preset(a, v); text != "" {
		return line{sign: sign, name: name, value: text + gone}
	}
	var elements []string
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		elements = append(elements, b.write(e, 0))
	}
	return line{sign: sign, name: name, value: "[" + strings.Join(elements, ", ") + "]" + gone}
}

// preset stands for a list that the web console has a name for; "": nothing does.
func (b changeView) preset(a *kind.Attr, v cty.Value) string {
	if b.verbose || a.Preset == nil || !v.IsWhollyKnown() || v.HasMark(kind.Sensitive) {
		return ""
	}
	name := a.Preset(v)
	if name == "" {
		return ""
	}
	return fmt.Sprintf("(%d %s, as the console gives for %s)", v.LengthInt(), a.Name, name)
}

type entry struct {
	key string
	val cty.Value
}

// entries lists a map sorted by key; nothing for a null one.
func entries(v cty.Value) []entry {
	if v.IsNull() {
		return nil
	}
	out := make([]entry, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		out = append(out, entry{k.AsString(), e})
	}
	return out
}
