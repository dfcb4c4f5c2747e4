package functions

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"b2form/schema/folder"
)

// templateFunctions render templates, which may use the other functions. They
// cannot render further templates, so none can contain itself.
func templateFunctions(d folder.Folder, others map[string]function.Function) map[string]function.Function {
	return map[string]function.Function{
		"templatefile": pure(cty.String, templateFile(d, others), param("path", cty.String), param("variables", cty.DynamicPseudoType)),
		"templatestring": pure(cty.String, func(args []cty.Value) (cty.Value, error) {
			return renderTemplate(args[0].AsString(), "the template", args[1], others)
		}, param("template", cty.String), param("variables", cty.DynamicPseudoType)),
	}
}

func templateFile(d folder.Folder, others map[string]function.Function) func([]cty.Value) (cty.Value, error) {
	return func(args []cty.Value) (cty.Value, error) {
		src, err := d.ReadText(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		return renderTemplate(src, args[0].AsString(), args[1], others)
	}
}

// renderTemplate renders a template with the given variables; name is what messages
// call it.
func renderTemplate(src, name string, vars cty.Value, others map[string]function.Function) (cty.Value, error) {
	if t := vars.Type(); !t.IsObjectType() && !t.IsMapType() {
		return cty.NilVal, function.NewArgErrorf(1, "an object with the template's variables is needed")
	}
	expr, diags := hclsyntax.ParseTemplate([]byte(src), name, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, function.NewArgError(0, diags)
	}
	v, diags := expr.Value(&hcl.EvalContext{Variables: vars.AsValueMap(), Functions: others})
	if diags.HasErrors() {
		return cty.NilVal, function.NewArgError(1, diags)
	}
	out, err := convert.Convert(v, cty.String)
	if err != nil || out.IsNull() {
		return cty.NilVal, function.NewArgErrorf(0, "the template does not render to a string")
	}
	return out, nil
}
