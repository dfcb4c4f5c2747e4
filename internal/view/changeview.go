package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/visible"
	"b2form/plan"
	"b2form/schema/kind"
)

// A changeRenderer turns one change into lines. Values of secret attributes are never
// looked at.
type changeRenderer struct {
	literalFormatter
	change             *plan.Change
	expandConsoleNames bool // show what has a short name in full
	// showComputedOfUnchanged shows what B2 made of an object that stays.
	showComputedOfUnchanged bool
}

func newChangeRenderer(c *plan.Change, verbose bool) changeRenderer {
	hidden := func(cty.Value) string { return "(not readable with these credentials)" }
	return changeRenderer{literalFormatter: literalFormatter{unknownText: hidden}, change: c, expandConsoleNames: verbose}
}

// bodyLines is the inside of the change's block: attributes, then nested blocks in
// groups of one name.
func (b changeRenderer) bodyLines() []lineTree {
	var out, groups []lineTree
	hidden := 0
	for i := range b.change.Kind.Attrs {
		a := &b.change.Kind.Attrs[i]
		ls, skipped := b.attrLines(a)
		if skipped {
			hidden++
		}
		if slices.ContainsFunc(ls, func(l lineTree) bool { return l.isBlock }) {
			groups = append(append(groups, lineTree{}), ls...)
			continue
		}
		out = append(out, ls...)
	}
	out = append(out, hiddenCountLines(hidden, "attribute")...)
	for _, d := range b.change.DeliverTo {
		out = append(out, commentLine("secret → "+d))
	}
	return append(out, groups...)
}

// attrLines shows one attribute; skipped says that it has an unchanged value that is
// not shown.
func (b changeRenderer) attrLines(a *kind.Attr) (ls []lineTree, skipped bool) {
	c := b.change
	if slices.Contains(c.Sensitive, a.Name) {
		hidden := *a
		hidden.Secret, hidden.Note, hidden.Encoding.LiveText = true, nil, nil
		a = &hidden
	}
	before, after := attrOrNull(c.Before, a), attrOrNull(c.After, a)
	switch c.Action {
	case plan.Create:
		return b.createdLines(a, after), false
	case plan.Delete:
		if a.Computed && a.Name != c.Kind.IDAttr {
			return nil, false
		}
		return b.withAttrNoteAbove(a, before, b.valueLines(a, "-", before)), false
	case plan.NoOp:
		if a.Computed && (a.Secret || a.Name != c.Kind.IDAttr && !b.showComputedOfUnchanged) {
			return nil, false
		}
		if a.Encoding.LiveText != nil && !c.Kind.ExpiryOf(c.Before).IsZero() {
			return []lineTree{commentLine(a.Name + ": " + visible.EscapeLine(a.Encoding.LiveText(c.Before)))}, false
		}
		return b.withAttrNoteAbove(a, before, b.valueLines(a, "", before)), false
	}
	if a.Computed {
		return b.computedLinesIfReplaced(a, before), false
	}
	if slices.Contains(c.Fields, a.Name) {
		ls := b.changedLines(a, before, after)
		if a.Encoding.LiveText != nil {
			ls = []lineTree{{sign: "~", name: a.Name,
				value: "(" + visible.EscapeLine(a.Encoding.LiveText(c.Before)) + ") -> " + b.format(after, 0)}}
		}
		switch {
		case !isReplacedOrRotated(c) || len(ls) == 0:
		case slices.Contains(c.IgnoredFieldsMadeAnew, a.Name):
			ls[0].remark = "changes with the new " + c.Kind.Name
		case c.Kind.Update == nil || a.Immutable:
			ls[0].remark = "forces replacement"
		}
		return b.withAttrNoteAbove(a, after, ls), false
	}
	if c.Kind.IsIdentityAttr(a.Name) {
		return b.valueLines(a, "", after), false
	}
	return nil, !kind.IsNullOrEmptyCollection(after)
}

// attrOrNull is an attribute of an object; null where the object is null or has no
// such attribute.
func attrOrNull(v cty.Value, a *kind.Attr) cty.Value {
	if v == cty.NilVal || v.IsNull() || !v.Type().HasAttribute(a.Name) {
		return cty.NullVal(a.ValueType())
	}
	return v.GetAttr(a.Name)
}

// createdLines shows an attribute of an object that does not exist yet.
func (b changeRenderer) createdLines(a *kind.Attr, after cty.Value) []lineTree {
	switch {
	case a.Secret && a.Computed:
		return []lineTree{{sign: "+", name: a.Name, value: sensitive}}
	case a.Computed && (a.FromAccount != nil || a.Encoding.ShowsKnownAfterApply != nil && !a.Encoding.ShowsKnownAfterApply(b.change.After)):
		return nil
	case a.Computed:
		return []lineTree{{sign: "+", name: a.Name, value: afterApply}}
	}
	return b.withAttrNoteAbove(a, after, b.valueLines(a, "+", after))
}

// computedLinesIfReplaced shows a computed attribute of an object that is updated (nothing) or
// replaced (its ID and secrets).
func (b changeRenderer) computedLinesIfReplaced(a *kind.Attr, before cty.Value) []lineTree {
	switch {
	case !isReplacedOrRotated(b.change):
		return nil
	case a.Secret:
		return []lineTree{{sign: "~", name: a.Name, value: sensitive}}
	case a.Name == b.change.Kind.IDAttr:
		return []lineTree{{sign: "~", name: a.Name, value: b.format(before, 0) + " -> " + afterApply}}
	}
	return nil
}

// isReplacedOrRotated reports whether another object takes the place of the one shown.
func isReplacedOrRotated(c *plan.Change) bool {
	return c.Action == plan.Replace || c.Action == plan.Rotate
}

// withAttrNoteAbove puts the attribute's own explanation of its value above what shows it, or
// alone where the value says nothing.
func (b changeRenderer) withAttrNoteAbove(a *kind.Attr, v cty.Value, ls []lineTree) []lineTree {
	if a.Note == nil || !v.IsWhollyKnown() {
		return ls
	}
	note := a.Note(v)
	switch {
	case note == "":
		return ls
	case len(ls) == 0:
		return []lineTree{commentLine(a.Name + ": " + note)}
	}
	return append([]lineTree{commentLine(note)}, ls...)
}

// valueLines shows a value under one sign; nothing for one that says nothing.
func (b changeRenderer) valueLines(a *kind.Attr, sign string, v cty.Value) []lineTree {
	switch {
	case kind.IsNullOrEmptyCollection(v), sign == "-" && !v.IsKnown():
		return nil
	case a.Secret:
		return []lineTree{{sign: sign, name: a.Name, value: sensitive}}
	case !v.IsKnown() || a.Object == nil:
		return []lineTree{b.leafLine(a, sign, v)}
	case !a.Many:
		return []lineTree{{sign: sign, name: a.Name, openBracket: "{", isBlock: true, children: b.memberLines(a, sign, v)}}
	}
	var out []lineTree
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		out = append(out, lineTree{sign: sign, name: a.Name, openBracket: "{", isBlock: true, children: b.memberLines(a, sign, e)})
	}
	return out
}

func (b changeRenderer) memberLines(a *kind.Attr, sign string, v cty.Value) []lineTree {
	var out []lineTree
	for i := range a.Object {
		out = append(out, b.valueLines(&a.Object[i], sign, v.GetAttr(a.Object[i].Name))...)
	}
	return out
}

// leafLine shows one value of an attribute that is no nested object.
func (b changeRenderer) leafLine(a *kind.Attr, sign string, v cty.Value) lineTree {
	name, gone := a.Name, ""
	if sign == "-" {
		gone = " -> null"
	}
	if !v.IsKnown() || v.Type().IsPrimitiveType() {
		return lineTree{sign: sign, name: name, value: b.format(v, 0) + gone}
	}
	if v.Type().IsMapType() {
		l := lineTree{sign: sign, name: name, openBracket: "{", afterClosing: gone}
		elements := v.AsValueMap()
		for _, key := range slices.Sorted(maps.Keys(elements)) {
			l.children = append(l.children, lineTree{sign: sign, name: quoteHCL(key), value: b.format(elements[key], 0)})
		}
		return l
	}
	if text := b.summaryByConsoleName(a, v); text != "" {
		return lineTree{sign: sign, name: name, value: text + gone}
	}
	var elements []string
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		elements = append(elements, b.format(e, 0))
	}
	return lineTree{sign: sign, name: name, value: "[" + strings.Join(elements, ", ") + "]" + gone}
}

// summaryByConsoleName stands for a list that the web console has a name for; "": nothing does.
func (b changeRenderer) summaryByConsoleName(a *kind.Attr, v cty.Value) string {
	if b.expandConsoleNames || a.WebConsoleName == nil || !v.IsWhollyKnown() || v.HasMark(kind.Sensitive) {
		return ""
	}
	name := a.WebConsoleName(v)
	if name == "" {
		return ""
	}
	return fmt.Sprintf("(%d %s, as the console gives for %s)", v.LengthInt(), a.Name, name)
}
