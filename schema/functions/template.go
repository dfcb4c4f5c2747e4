package functions

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"b2form/internal/words"
	"b2form/schema/folder"
	"b2form/schema/parse"
)

// templateFunctions render templates, which may use the other functions. They
// cannot render further templates, so none can contain itself.
func templateFunctions(d folder.Folder, b *parse.Budget, others map[string]function.Function) map[string]function.Function {
	// Few configurations render any.
	inTemplates := sync.OnceValue(func() map[string]function.Function {
		refused := refusingFunction("a template cannot render another one; render that first, and hand it over as a variable")
		return withCorePrefixed(others, map[string]function.Function{"templatefile": refused, "templatestring": refused})
	})
	return map[string]function.Function{
		// A template that is one interpolation has a value of any type.
		"templatefile": partlyKnownFunction(cty.DynamicPseudoType, func(args []cty.Value) (cty.Value, error) {
			src, err := d.ReadText(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return renderTemplate(src, args[0].AsString(), args[1], b, inTemplates())
		}, param("path", cty.String), param("variables", cty.DynamicPseudoType)),
		"templatestring": partlyKnownFunction(cty.String, func(args []cty.Value) (cty.Value, error) {
			v, err := renderTemplate(args[0].AsString(), "", args[1], b, inTemplates())
			if err != nil {
				return cty.NilVal, err
			}
			out, err := convert.Convert(v, cty.String)
			if err != nil || out.IsNull() {
				return cty.NilVal, function.NewArgErrorf(0, "the template does not render to a string")
			}
			return out, nil
		}, param("template", cty.String), param("variables", cty.DynamicPseudoType)),
	}
}

// renderTemplate renders a template with the given variables; file is where it
// stands, "" where that is no file.
func renderTemplate(src, file string, vars cty.Value, b *parse.Budget, others map[string]function.Function) (cty.Value, error) {
	if t := vars.Type(); !t.IsObjectType() && !t.IsMapType() {
		return cty.NilVal, function.NewArgErrorf(1, "an object with the template's variables is needed")
	}
	values := vars.AsValueMap()
	names := slices.Sorted(maps.Keys(values))
	for _, name := range names {
		if !hclsyntax.ValidIdentifier(name) {
			return cty.NilVal, function.NewArgErrorf(1, "%q cannot be the name of a variable: a name starts with a letter or underscore "+
				"and holds letters, digits, underscores and dashes", name)
		}
	}
	b.MustSpend(int64(len(src)), "") // what parsing it takes
	expr, diags := parse.Template([]byte(src), file, hcl.InitialPos, b)
	if diags.HasErrors() {
		if at := findUnclosed(src); diags[0].Summary == "Unclosed template interpolation sequence" && at != nil {
			diags[0].Subject = at // the parser gives the whole template
		}
		return cty.NilVal, function.NewArgError(0, templateError(file, diags[0]))
	}
	for _, t := range expr.Variables() {
		name := t.RootName()
		if _, given := values[name]; given {
			continue
		}
		hint := " The variables given are " + words.JoinAnd(names)
		if len(names) == 0 {
			hint = " No variables are given"
		}
		if near := words.FindSimilar(name, names); near != "" {
			hint = fmt.Sprintf(" The nearest that is given is %q", near)
		}
		return cty.NilVal, function.NewArgError(1, templateError(file, &hcl.Diagnostic{Subject: t.SourceRange().Ptr(),
			Detail: fmt.Sprintf("There is no variable %q.%s", name, hint)}))
	}
	v, diags := expr.Value(&hcl.EvalContext{Variables: values, Functions: others})
	if diags.HasErrors() {
		return cty.NilVal, function.NewArgError(1, templateError(file, diags[0]))
	}
	return v, nil
}

// findUnclosed is the place of the innermost sequence of a template that nothing closes; nil: there is none.
func findUnclosed(src string) *hcl.Range {
	tokens, _ := hclsyntax.LexTemplate([]byte(src), "", hcl.InitialPos)
	var open []hcl.Range
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			open = append(open, t.Range)
		case hclsyntax.TokenTemplateSeqEnd:
			open = open[:max(0, len(open)-1)]
		}
	}
	if len(open) == 0 {
		return nil
	}
	return &open[len(open)-1]
}

// templateError says what is wrong in a template, and where. It has no full stop at
// its end, since whoever reports the error of a function writes one.
func templateError(file string, d *hcl.Diagnostic) error {
	where := "the template"
	if file != "" {
		where = fmt.Sprintf("%q", file)
	}
	if d.Subject != nil {
		where = fmt.Sprintf("line %d of %s", d.Subject.Start.Line, where)
	}
	return errors.New(strings.TrimSuffix("in "+where+": "+d.Detail, "."))
}
