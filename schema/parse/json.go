package parse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
)

// checkJSONTemplateNesting checks the templates in the strings of a JSON text.
func checkJSONTemplateNesting(src []byte, name string) *hcl.Diagnostic {
	for at := 0; ; {
		begin := bytes.IndexByte(src[at:], '"')
		if begin < 0 {
			return nil
		}
		begin += at
		end := begin + 1
		for end < len(src) && src[end] != '"' {
			if src[end] == '\\' {
				end++
			}
			end++
		}
		at = min(end+1, len(src))
		quoted := src[begin:at]
		if bytes.IndexByte(quoted, '{') < 0 && bytes.IndexByte(quoted, '\\') < 0 {
			continue
		}
		var s string
		if json.Unmarshal(quoted, &s) != nil {
			continue
		}
		if d := checkNestingAndNumbers([]byte(s), name, hcl.InitialPos, templateText); d != nil {
			d.Subject = rangeOfByte(src, name, hcl.InitialPos, begin)
			return d
		}
	}
}

// jsonToNativeExpr is an expression of HCL's JSON syntax in the native one, so that what
// evaluating it takes is counted.
func (b *Budget) jsonToNativeExpr(e hcl.Expression) (hclsyntax.Expression, hcl.Diagnostics) {
	at := e.Range()
	if pairs, diags := hcl.ExprMap(e); !diags.HasErrors() {
		out := &hclsyntax.ObjectConsExpr{SrcRange: at, OpenRange: at}
		seen := map[string]hcl.Range{}
		for _, p := range pairs {
			name, _ := p.Key.Value(nil) // a string, as it is written
			if first, twice := seen[name.AsString()]; twice {
				return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Duplicate object attribute",
					Detail:  fmt.Sprintf("An attribute named %q was already defined at %s.", name.AsString(), first),
					Subject: p.Key.Range().Ptr()}}
			}
			seen[name.AsString()] = p.Key.Range()
			key, diags := b.jsonToNativeExpr(p.Key)
			if diags.HasErrors() {
				return nil, diags
			}
			value, diags := b.jsonToNativeExpr(p.Value)
			if diags.HasErrors() {
				return nil, diags
			}
			out.Items = append(out.Items, hclsyntax.ObjectConsItem{KeyExpr: key, ValueExpr: value})
		}
		return out, nil
	}
	if list, diags := hcl.ExprList(e); !diags.HasErrors() {
		out := &hclsyntax.TupleConsExpr{SrcRange: at, OpenRange: at}
		for _, one := range list {
			value, diags := b.jsonToNativeExpr(one)
			if diags.HasErrors() {
				return nil, diags
			}
			out.Exprs = append(out.Exprs, value)
		}
		return out, nil
	}
	v, diags := e.Value(nil)
	if diags.HasErrors() || v.IsNull() || v.Type() != cty.String {
		return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: at}, diags
	}
	start := at.Start
	start.Byte, start.Column = start.Byte+1, start.Column+1 // behind the quote
	return Template([]byte(v.AsString()), at.Filename, start, b)
}

// Calls reports whether an expression calls a function, in either syntax.
func Calls(e hcl.Expression, functionName string) (calls bool) {
	return CallsAny(e, func(name string) bool { return name == functionName })
}

// CallsAny reports whether an expression calls one of the functions, which are named without core::, in either syntax.
func CallsAny(e hcl.Expression, isWanted func(functionName string) bool) (calls bool) {
	if hcljson.IsJSONExpression(e) {
		native, diags := (*Budget)(nil).jsonToNativeExpr(e)
		if diags.HasErrors() {
			return false
		}
		e = native
	}
	node, ok := e.(hclsyntax.Node)
	if !ok {
		return false
	}
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		calls = calls || ok && isWanted(strings.TrimPrefix(call.Name, "core::"))
		return nil
	})
	return calls
}
