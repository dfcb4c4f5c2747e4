package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/schema/config"
	"b2form/schema/kind"
)

// contentRenderer is the Content of a delivery: the user's own text with the secret
// in it.
func (l *module) contentRenderer(d *deliverBlock, k *kind.Kind, rep repetitionData) func(map[string]cty.Value, config.LiveLookup) (string,
	hcl.Diagnostics) {
	return func(self map[string]cty.Value, live config.LiveLookup) (string, hcl.Diagnostics) {
		v, diags := l.renderLive(d, "content", k, rep, self, live)
		if diags.HasErrors() {
			return "", diags
		}
		return v.AsString(), diags
	}
}

// environmentRenderer is the Environment of a delivery.
func (l *module) environmentRenderer(d *deliverBlock, k *kind.Kind, rep repetitionData) func(map[string]cty.Value,
	config.LiveLookup) (map[string]string,
	hcl.Diagnostics) {
	return func(self map[string]cty.Value, live config.LiveLookup) (map[string]string, hcl.Diagnostics) {
		v, diags := l.renderLive(d, "environment", k, rep, self, live)
		if diags.HasErrors() {
			return nil, diags
		}
		out := make(map[string]string, v.LengthInt())
		for it := v.ElementIterator(); it.Next(); {
			name, value := it.Element()
			out[name.AsString()] = value.AsString()
		}
		return out, diags
	}
}

// renderLive evaluates an argument with the new key and what is live. Nothing
// that is said of it repeats a value.
func (l *module) renderLive(d *deliverBlock, name string, k *kind.Kind, rep repetitionData, self map[string]cty.Value,
	live config.LiveLookup) (cty.Value, hcl.Diagnostics) {
	s, end := l.newScopeAfterLoad(live)
	defer end()
	v, diags := l.renderArgument(d, name, rep.context(s.context(d.refsOfSecretArgs, l.baseContext), d.refsOfSecretArgs.invalidRoots), self)
	replaceDetails(diags, "The template cannot be rendered with the live values. Details are left out, since they may hold a secret.")
	s.report.add(diags...)
	v, _ = v.UnmarkDeep()
	if !s.report.hasErrors && !v.IsWhollyKnown() {
		s.report.errorAt(d.args[name].Expr.Range(), "Unknown "+name, fmt.Sprintf("The %s of this %s's delivery uses something that is "+
			"not known yet.", name, k.Name))
	}
	return v, s.report.sortedDiags()
}

// renderArgument evaluates content to a string and environment to a map of strings,
// which may be unknown or marked.
func (l *module) renderArgument(d *deliverBlock, name string, parent *hcl.EvalContext, self map[string]cty.Value) (cty.Value,
	hcl.Diagnostics) {
	ctx := parent
	if !slices.Contains(d.refsOfSecretArgs.invalidRoots, "self") {
		ctx = parent.NewChild()
		ctx.Variables = map[string]cty.Value{"self": cty.ObjectVal(self)}
	}
	want, hint := cty.String, "content needs a string. Use jsonencode() or a template for structures."
	if name == "environment" {
		want, hint = cty.Map(cty.String), "environment needs a map of strings, as { B2_KEY = self.application_key }."
	}
	e := d.args[name].Expr
	v, diags := l.evalWithHints(e, ctx)
	if diags.HasErrors() {
		return cty.UnknownVal(want), diags
	}
	problem := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: wrongType, Detail: hint, Subject: e.Range().Ptr()}
	out, err := convert.Convert(v, want)
	if err == nil && !out.IsNull() {
		if name != "environment" {
			return out, diags
		}
		if problem = checkEnvironment(out, e); problem == nil {
			return out, diags
		}
	}
	return cty.UnknownVal(want), append(diags, problem)
}

// checkEnvironment finds what cannot stand in an environment.
func checkEnvironment(v cty.Value, e hcl.Expression) *hcl.Diagnostic {
	plain, _ := v.UnmarkDeep()
	if !plain.IsWhollyKnown() {
		return nil
	}
	for it := plain.ElementIterator(); it.Next(); {
		name, value := it.Element()
		why := ""
		switch n := name.AsString(); {
		case n == "" || strings.ContainsAny(n, "=\x00"):
			why = fmt.Sprintf("%q cannot be the name of a variable.", n)
		case value.IsNull():
			why = fmt.Sprintf("The value of %s is null; leave it out instead.", n)
		case strings.ContainsRune(value.AsString(), 0):
			why = fmt.Sprintf("The value of %s holds a NUL character.", n)
		}
		if why != "" {
			return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Invalid environment", Detail: why, Subject: e.Range().Ptr()}
		}
	}
	return nil
}
