package schema

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/functions"
	"b2form/schema/kind"
)

const wrongType = "Incorrect value type"

// converter brings an assigned value into the type of its attribute. It takes
// the marks off and collects them.
type converter struct {
	kind     *kind.Kind
	kinds    map[string]*kind.Kind // by name, for what attributes refer to
	attrName string                // the attribute that the value is assigned to
	inJSON   bool                  // JSON writes a single nested block without a list
	marks    []cty.ValueMarks
	faults   []conversionError
}

// A conversionError is something wrong inside a value.
type conversionError struct {
	path         cty.Path // within the attribute
	nameIsWrong  bool     // the last step's name is wrong, not its value
	valueUnknown bool     // the value is not known; summary and detail are empty
	marks        cty.ValueMarks
	summary      string
	detail       string
}

func (c *converter) addTypeError(path cty.Path, a *kind.Attr, message string) (unknown cty.Value) {
	c.faults = append(c.faults, conversionError{path: path.Copy(), summary: wrongType, detail: message})
	return cty.UnknownVal(a.ValueType())
}

// unmarkOrAddUnknown removes the marks at the top of v; false: v is not known.
func (c *converter) unmarkOrAddUnknown(v cty.Value, path cty.Path) (unmarked cty.Value, known bool) {
	v, marks := v.Unmark()
	c.collectMarks(marks)
	if v.IsKnown() {
		return v, true
	}
	c.addUnknown(path, marks)
	return v, false
}

func (c *converter) addUnknown(path cty.Path, marks cty.ValueMarks) {
	c.faults = append(c.faults, conversionError{path: path.Copy(), valueUnknown: true, marks: marks})
}

func (c *converter) collectMarks(marks cty.ValueMarks) {
	if len(marks) > 0 {
		c.marks = append(c.marks, marks)
	}
}

// convertValue conforms v to the attribute. The result is not wholly known exactly
// where a fault was recorded.
func (c *converter) convertValue(a *kind.Attr, v cty.Value, path cty.Path) cty.Value {
	if a.Object == nil && a.SendsSecret() {
		v = functions.Nonsensitive(v) // it is shown nowhere, and hides nothing beside it
	}
	marks := v.Marks()
	v, known := c.unmarkOrAddUnknown(v, path)
	switch {
	case !known:
		return cty.UnknownVal(a.ValueType())
	case v.IsNull():
		return cty.NullVal(a.ValueType())
	case a.Link.RefKind != "" && a.Type == cty.String:
		return c.convertReference(a, v, marks, path)
	case a.Object == nil && a.Link.RefKind != "":
		return c.convertReferences(a, v, path)
	case a.Object == nil:
		return c.convertLeaf(a, v, path)
	case a.Many:
		return c.convertList(a, v, path)
	}
	return c.convertObject(a, a.Object, v, path)
}

func (c *converter) convertLeaf(a *kind.Attr, v cty.Value, path cty.Path) cty.Value {
	if a.Type == cty.String && isKnownString(v) {
		return v // by far the most, and what follows is slow
	}
	if !v.IsWhollyKnown() {
		if _, err := convert.Convert(cty.UnknownVal(v.Type()), a.Type); err != nil { // as of a whole resource
			return c.addTypeError(path, a, c.placeText(path)+": "+err.Error()+".")
		}
		c.addUnknownParts(v, path)
		return cty.UnknownVal(a.Type)
	}
	v, marks := v.UnmarkDeep()
	c.collectMarks(marks)
	out, err := convert.Convert(v, a.Type)
	if err != nil {
		var at cty.PathError
		if errors.As(err, &at) {
			path = append(path.Copy(), at.Path...)
		}
		return c.addTypeError(path, a, c.placeText(path)+": "+err.Error()+".")
	}
	return out
}

// addUnknownParts records every place inside v that is not known.
func (c *converter) addUnknownParts(v cty.Value, path cty.Path) {
	_ = cty.Walk(v, func(at cty.Path, part cty.Value) (bool, error) { // the callback never fails
		if !part.IsKnown() {
			c.faults = append(c.faults, conversionError{path: append(path.Copy(), at...), valueUnknown: true, marks: part.Marks()})
		}
		return true, nil
	})
}

func (c *converter) convertList(a *kind.Attr, v cty.Value, path cty.Path) cty.Value {
	t := v.Type()
	if c.inJSON && (t.IsObjectType() || t.IsMapType()) {
		v = cty.TupleVal([]cty.Value{v})
		t = v.Type()
	}
	if !t.IsListType() && !t.IsTupleType() && !t.IsSetType() {
		members := "…"
		if a.Encoding.AsMap {
			members = fmt.Sprintf("%s = …, %s = …", a.Object[0].Name, a.Object[1].Name)
		}
		return c.addTypeError(path, a, fmt.Sprintf("%s: a list of objects is required, as [{ %s }], or blocks %s { … }.", c.placeText(path),
			members, a.Name))
	}
	element := a.ValueType().ElementType()
	if v.LengthInt() == 0 {
		return cty.ListValEmpty(element)
	}
	out := make([]cty.Value, 0, v.LengthInt())
	one := *a
	one.Many = false
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		out = append(out, c.convertValue(&one, e, append(path, cty.IndexStep{Key: cty.NumberIntVal(int64(len(out)))})))
	}
	return cty.ListVal(out)
}

func (c *converter) convertObject(a *kind.Attr, attrs []kind.Attr, v cty.Value, path cty.Path) cty.Value {
	if t := v.Type(); c.inJSON && t.IsTupleType() && v.LengthInt() == 1 { // one block, in a list
		zero := cty.NumberIntVal(0)
		return c.convertValue(a, v.Index(zero), append(path, cty.IndexStep{Key: zero}))
	} else if !t.IsObjectType() && !t.IsMapType() {
		return c.addTypeError(path, a, fmt.Sprintf("%s: an object is required, as { %s = … }.", c.placeText(path), attrs[0].Name))
	}
	members := v.AsValueMap()
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if c.inJSON && name == "//" {
			continue // how HCL's JSON syntax writes a comment
		}
		if m := findAttr(attrs, name); m == nil || m.Computed {
			c.addUnsupportedMember(attrs, name, append(path, cty.GetAttrStep{Name: name}))
		}
	}
	out := make(map[string]cty.Value, len(attrs))
	for i := range attrs {
		m := &attrs[i]
		if given, has := members[m.Name]; has {
			out[m.Name] = c.convertValue(m, given, append(path, cty.GetAttrStep{Name: m.Name}))
		} else {
			out[m.Name] = cty.NullVal(m.ValueType())
		}
	}
	return cty.ObjectVal(out)
}

func (c *converter) addUnsupportedMember(attrs []kind.Attr, name string, path cty.Path) {
	f := conversionError{path: path.Copy(), nameIsWrong: true, summary: "Unsupported argument",
		detail: fmt.Sprintf("%s has no member %q.%s", c.placeText(path[:len(path)-1]), name,
			words.DidYouMean(name, "", settableNames(attrs)))}
	if rewrite := terraformArgumentAdvice(c.kind, attrs, name, false); rewrite != "" {
		f.summary, f.detail = "Terraform argument", rewrite
	}
	c.faults = append(c.faults, f)
}

// convertReferences conforms an attribute that holds names of resources of another
// kind: each resource stands for its name.
func (c *converter) convertReferences(a *kind.Attr, v cty.Value, path cty.Path) cty.Value {
	t := v.Type()
	if c.isResourceType(a, t) || t.IsPrimitiveType() {
		return c.addTypeError(path, a, fmt.Sprintf("%s: a list is required; put it into brackets, as [%s.NAME].", c.placeText(path),
			a.Link.RefKind))
	}
	names := c.flattenReferences(a, v, path, nil)
	switch {
	case len(names) == 0:
		return cty.SetValEmpty(cty.String)
	case a.Type.IsListType():
		return cty.ListVal(names)
	}
	return cty.SetVal(names)
}

// isResourceType reports whether values of the type can stand for a resource of the
// kind that the attribute refers to.
func (c *converter) isResourceType(a *kind.Attr, t cty.Type) bool {
	k := c.kinds[a.Link.RefKind]
	return k != nil && t.IsObjectType() && t.HasAttribute(k.IdentityAttr)
}

// flattenReferences flattens collections, so that a whole for_each block may be given.
func (c *converter) flattenReferences(a *kind.Attr, v cty.Value, path cty.Path, out []cty.Value) []cty.Value {
	for it := v.ElementIterator(); it.Next(); {
		key, e := it.Element()
		step := append(path, cty.IndexStep{Key: key})
		e, marks := e.Unmark()
		c.collectMarks(marks)
		switch {
		case !e.IsKnown():
			c.addUnknown(step, marks)
		case !e.IsNull() && e.CanIterateElements() && !e.Type().IsObjectType():
			out = c.flattenReferences(a, e, step, out)
		default:
			out = append(out, c.convertReference(a, e, marks, step))
		}
	}
	return out
}

// convertReference is one name: a text, or the resource that has it. marks are those
// that v had.
func (c *converter) convertReference(a *kind.Attr, v cty.Value, marks cty.ValueMarks, path cty.Path) cty.Value {
	if v.IsNull() {
		return cty.NullVal(cty.String)
	}
	if c.isResourceType(a, v.Type()) {
		k := c.kinds[a.Link.RefKind]
		var of []addr.Addr
		for m := range marks {
			r, ok := m.(refMark)
			if ok && r.addr.Kind != a.Link.RefKind {
				return c.addTypeError(path, &kind.Attr{Type: cty.String},
					fmt.Sprintf("%s: a %s is required, but %s is a %s.", c.placeText(path), a.Link.RefKind, r.addr, r.addr.Kind))
			}
			if ok {
				of = append(of, r.addr)
			}
		}
		if k.NamesRepeat && len(of) == 1 {
			return cty.StringVal(kind.BlockAddrPrefix + of[0].String())
		}
		v = v.GetAttr(k.IdentityAttr)
	}
	if !v.Type().IsPrimitiveType() && v.Type() != cty.DynamicPseudoType {
		return c.addTypeError(path, &kind.Attr{Type: cty.String},
			fmt.Sprintf("%s: a %s is required, as %s.NAME, or its name in quotes.", c.placeText(path), a.Link.RefKind, a.Link.RefKind))
	}
	return c.convertLeaf(&kind.Attr{Name: a.Name, Type: cty.String}, v, path)
}

// placeText writes the place of a value for messages.
func (c *converter) placeText(path cty.Path) string { return pathText(c.attrName, path) }

// pathText writes the place of a value inside an attribute:
// lifecycle_rules[0].file_name_prefix.
func pathText(attr string, path cty.Path) string {
	var b strings.Builder
	b.WriteString(attr)
	for _, step := range path {
		switch s := step.(type) {
		case cty.GetAttrStep:
			b.WriteString("." + s.Name)
		case cty.IndexStep:
			switch {
			case s.Key.Type() == cty.Number && s.Key.IsKnown() && !s.Key.IsNull():
				b.WriteString("[" + s.Key.AsBigFloat().Text('f', -1) + "]")
			case s.Key.Type() == cty.String && s.Key.IsKnown() && !s.Key.IsNull():
				b.WriteString("[" + strconv.Quote(s.Key.AsString()) + "]")
			}
		}
	}
	return b.String()
}

// typeErrorText words an error of a type conversion, with its place inside the value.
func typeErrorText(err error) string {
	var at cty.PathError
	if errors.As(err, &at) && len(at.Path) > 0 {
		return strings.TrimPrefix(pathText("", at.Path), ".") + ": " + err.Error()
	}
	return err.Error()
}
