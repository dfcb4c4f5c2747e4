package terraform

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/tidwall/gjson"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/wire"
)

// A jsonToNativeWriter writes JSON in HCL's native syntax, and notes which line was made from
// which.
type jsonToNativeWriter struct {
	src            string
	text           strings.Builder
	originalLines  []int
	srcOffset      int  // the byte of src that what is written comes from
	literalStrings bool // texts are no templates
}

// labelCount is how many labels the blocks of the top level have.
func labelCount(typ string) (n int, ok bool) {
	switch typ {
	case "resource", "data", "ephemeral":
		return 2, true
	case "variable", "output", "module", "provider", "check":
		return 1, true
	case "locals", "terraform", "moved", "removed", "import":
		return 0, true
	}
	return 0, false
}

// nestedBlockTypes are the blocks within blocks, which in JSON look like arguments.
func nestedBlockTypes() []string {
	return []string{"lifecycle", "dynamic", "content", "provisioner", "connection", "timeouts", "validation", "precondition",
		"postcondition", "assert", "backend", "cloud", "required_providers", "cors_rules", "lifecycle_rules",
		"default_server_side_encryption", "server_side_encryption", "file_lock_configuration", "default_retention", "period",
		"notification_rules", "target_configuration", "custom_headers"}
}

var errNoObject = errors.New("it holds no object")

// jsonToNative is a configuration in JSON as native syntax, and by its lines those of src.
func jsonToNative(src []byte) (text []byte, lines []int, err error) {
	w := &jsonToNativeWriter{src: string(src)}
	root, err := w.parseJSONSource(src)
	if err != nil {
		return nil, nil, err
	}
	root.ForEach(func(typ, value gjson.Result) bool {
		n, known := labelCount(typ.Str)
		switch {
		case typ.Str == "//":
		case !known:
			w.block([]string{typ.Str}, value, 0)
		default:
			w.labelled([]string{typ.Str}, value, n)
		}
		return true
	})
	return []byte(w.text.String()), w.originalLines, nil
}

// jsonValuesToNative is a value file in JSON as native syntax.
func jsonValuesToNative(src []byte) ([]byte, error) {
	w := &jsonToNativeWriter{src: string(src), literalStrings: true}
	root, err := w.parseJSONSource(src)
	if err != nil {
		return nil, err
	}
	root.ForEach(func(name, value gjson.Result) bool {
		if hclsyntax.ValidIdentifier(name.Str) {
			w.line(value, name.Str+" = "+w.expression(value))
		}
		return true
	})
	return hclwrite.Format([]byte(w.text.String())), nil
}

func (w *jsonToNativeWriter) parseJSONSource(src []byte) (gjson.Result, error) {
	if wire.FindTooDeep(src, 100) >= 0 || !gjson.ValidBytes(src) {
		return gjson.Result{}, errors.New("its syntax is wrong, or it is nested too deeply")
	}
	root := gjson.ParseBytes(src)
	if !root.IsObject() {
		return root, errNoObject
	}
	return root, nil
}

// line writes lines that were made from a value.
func (w *jsonToNativeWriter) line(from gjson.Result, text string) {
	if from.Index > 0 {
		w.srcOffset = from.Index
	}
	number := 1 + strings.Count(w.src[:w.srcOffset], "\n")
	for range strings.Count(text, "\n") + 1 {
		w.originalLines = append(w.originalLines, number)
	}
	w.text.WriteString(text + "\n")
}

// labelled writes the blocks of an object whose names are labels.
func (w *jsonToNativeWriter) labelled(header []string, value gjson.Result, labelCount int) {
	if value.IsArray() {
		value.ForEach(func(_, one gjson.Result) bool { w.labelled(header, one, labelCount); return true })
		return
	}
	if labelCount == 0 || !value.IsObject() {
		w.block(header, value, 0)
		return
	}
	value.ForEach(func(label, inner gjson.Result) bool {
		if label.Str != "//" {
			w.labelled(append(slices.Clip(header), quoted(label.Str)), inner, labelCount-1)
		}
		return true
	})
}

func (w *jsonToNativeWriter) block(header []string, value gjson.Result, depth int) {
	indent := strings.Repeat("  ", depth)
	w.line(value, indent+strings.Join(header, " ")+" {")
	value.ForEach(func(name, inner gjson.Result) bool {
		w.member(name.Str, inner, header[0], depth+1)
		return true
	})
	w.line(value, indent+"}")
	if depth == 0 {
		w.line(value, "")
	}
}

// member writes an argument or nested blocks.
func (w *jsonToNativeWriter) member(name string, value gjson.Result, within string, depth int) {
	indent := strings.Repeat("  ", depth)
	isBlock := slices.Contains(nestedBlockTypes(), name) && within != "locals" && within != "module" &&
		(value.IsObject() || value.IsArray())
	switch {
	case !hclsyntax.ValidIdentifier(name): // a comment, which JSON writes as "//"
	case isBlock && (name == "dynamic" || name == "provisioner" || name == "backend"):
		w.nestedLabelled(name, value, depth)
	case isBlock && value.IsArray():
		value.ForEach(func(_, one gjson.Result) bool { w.block([]string{name}, one, depth); return true })
	case isBlock:
		w.block([]string{name}, value, depth)
	case holdsAddressOrType(name, within):
		w.line(value, indent+name+" = "+nativeAddresses(value))
	default:
		w.line(value, indent+name+" = "+w.expression(value))
	}
}

func (w *jsonToNativeWriter) nestedLabelled(name string, value gjson.Result, depth int) {
	value.ForEach(func(label, inner gjson.Result) bool {
		if value.IsArray() {
			w.nestedLabelled(name, inner, depth)
		} else if inner.IsArray() {
			inner.ForEach(func(_, one gjson.Result) bool { w.block([]string{name, quoted(label.Str)}, one, depth); return true })
		} else {
			w.block([]string{name, quoted(label.Str)}, inner, depth)
		}
		return true
	})
}

// holdsAddressOrType reports whether an argument holds addresses, or types, as texts.
func holdsAddressOrType(name, blockType string) bool {
	switch blockType {
	case "moved", "removed", "import":
		return name == "from" || name == "to"
	case "variable":
		return name == "type"
	case "lifecycle":
		return name == "ignore_changes" || name == "replace_triggered_by"
	}
	return name == "depends_on" || name == "provider" || name == "providers" || name == "iterator"
}

func nativeAddresses(v gjson.Result) string {
	switch {
	case v.IsArray():
		var list []string
		v.ForEach(func(_, one gjson.Result) bool { list = append(list, nativeAddresses(one)); return true })
		return "[" + strings.Join(list, ", ") + "]"
	case v.IsObject():
		list := []string{}
		v.ForEach(func(k, one gjson.Result) bool { list = append(list, k.Str+" = "+one.Str); return true })
		return "{ " + strings.Join(list, ", ") + " }"
	}
	text := strings.TrimSuffix(strings.TrimPrefix(v.Str, "${"), "}")
	if strings.ContainsAny(text, "\n{}#") && v.Str == text {
		return strings.Join(strings.Fields(text), " ")
	}
	return text
}

// expression writes a value.
func (w *jsonToNativeWriter) expression(v gjson.Result) string {
	switch {
	case v.IsArray():
		var b bytes.Buffer
		b.WriteByte('[')
		v.ForEach(func(_, one gjson.Result) bool {
			if b.Len() > 1 {
				b.WriteString(", ")
			}
			b.WriteString(w.expression(one))
			return true
		})
		return b.String() + "]"
	case v.IsObject():
		var b bytes.Buffer
		b.WriteByte('{')
		v.ForEach(func(key, one gjson.Result) bool {
			if b.Len() > 1 {
				b.WriteByte(',')
			}
			name := w.template(key.Str)
			if hclsyntax.ValidIdentifier(key.Str) {
				name = key.Str
			}
			b.WriteString(" " + name + " = " + w.expression(one))
			return true
		})
		return b.String() + " }"
	case v.Type == gjson.String:
		return w.template(v.Str)
	}
	return v.Raw
}

// template writes a text, which is a template but in values.
func (w *jsonToNativeWriter) template(text string) string {
	if w.literalStrings || !strings.Contains(text, "${") && !strings.Contains(text, "%{") {
		return quoted(text)
	}
	e, diags := hclsyntax.ParseTemplate([]byte(text), "", hcl.InitialPos)
	if wrap, ok := e.(*hclsyntax.TemplateWrapExpr); ok && !diags.HasErrors() {
		return strings.TrimSpace(text[wrap.Wrapped.Range().Start.Byte:wrap.Wrapped.Range().End.Byte])
	}
	// What is outside of sequences is quoted; a sequence is as it is.
	var b strings.Builder
	b.WriteByte('"')
	parts, ok := e.(*hclsyntax.TemplateExpr)
	if !ok || diags.HasErrors() {
		return quoted(text)
	}
	for _, p := range parts.Parts {
		if lit, isText := p.(*hclsyntax.LiteralValueExpr); isText && lit.Val.Type() == cty.String {
			text := quoted(lit.Val.AsString())
			b.WriteString(text[1 : len(text)-1])
			continue
		}
		b.WriteString("${" + text[p.Range().Start.Byte:p.Range().End.Byte] + "}")
	}
	return b.String() + `"`
}
