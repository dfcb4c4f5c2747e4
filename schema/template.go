package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"b2form/internal/words"
	"b2form/schema/config"
	"b2form/schema/folder"
	"b2form/schema/kind"
)

// contentRenderer is the Content of a delivery: the user's own text with the secret
// in it.
func (l *module) contentRenderer(d *deliverBlock, k *kind.Kind, rep repetitionData, approved folder.Reads) func(map[string]cty.Value,
	config.LiveLookup) (string, hcl.Diagnostics) {
	return func(self map[string]cty.Value, live config.LiveLookup) (string, hcl.Diagnostics) {
		v, diags := l.renderLive(d, "content", k, rep, self, live, approved)
		if diags.HasErrors() {
			return "", diags
		}
		return v.AsString(), diags
	}
}

// environmentRenderer is the Environment of a delivery.
func (l *module) environmentRenderer(d *deliverBlock, k *kind.Kind, rep repetitionData, approved folder.Reads) func(map[string]cty.Value,
	config.LiveLookup) (map[string]string, hcl.Diagnostics) {
	return func(self map[string]cty.Value, live config.LiveLookup) (map[string]string, hcl.Diagnostics) {
		v, diags := l.renderLive(d, "environment", k, rep, self, live, approved)
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

// renderLive evaluates an argument with the new key and what is live. It may read in its expression what was approved.
// Nothing that is said of it repeats a value.
func (l *module) renderLive(d *deliverBlock, name string, k *kind.Kind, rep repetitionData, self map[string]cty.Value,
	live config.LiveLookup, approved folder.Reads) (cty.Value, hcl.Diagnostics) {
	s, end := l.newScopeAfterLoad(live)
	defer end()
	reads, recording := l.functionsRecordingReads(d)
	ctx := rep.context(s.context(d.refsOfSecretArgs, l.baseContext), d.refsOfSecretArgs.invalidRoots)
	v, diags := l.renderArgument(d, name, ctx, self, recording)
	replaceDetails(diags, "The template cannot be rendered with the live values. Details are left out, since they may hold a secret.")
	s.report.add(diags...)
	v, _ = v.UnmarkDeep()
	if !s.report.hasErrors && !v.IsWhollyKnown() {
		s.report.errorAt(d.args[name].Expr.Range(), "Unknown "+name, fmt.Sprintf("The %s of this %s's delivery uses something that is "+
			"not known yet.", name, k.Name))
	}
	for what, answer := range reads {
		if approved[what] != answer && !s.report.hasErrors {
			s.report.add(notApprovedError(d.args[name].Expr.Range(), k))
		}
	}
	return v, s.report.sortedDiags()
}

// notApprovedError is about an expression that reads what it did not read when the plan was made.
func notApprovedError(at hcl.Range, k *kind.Kind) *hcl.Diagnostic {
	why := fmt.Sprintf("it reads a file that changed since the plan was made, or a file whose name the %s decides, which no plan can "+
		"tell; plan again, or name each file: X ? file(\"a\") : file(\"b\"), not file(X ? \"a\" : \"b\")", k.Name)
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "File that was not approved", Detail: words.Sentence(why), Subject: &at,
		Extra: config.SecretFreeExtra{Reason: why}}
}

// renderArgument evaluates content to a string and environment to a map of strings,
// which may be unknown or marked. all are the functions that it calls; nil: those of every expression.
func (l *module) renderArgument(d *deliverBlock, name string, parent *hcl.EvalContext, self map[string]cty.Value,
	all map[string]function.Function) (cty.Value, hcl.Diagnostics) {
	ctx := parent
	if !slices.Contains(d.refsOfSecretArgs.invalidRoots, "self") {
		ctx = parent.NewChild()
		ctx.Variables, ctx.Functions = map[string]cty.Value{"self": cty.ObjectVal(self)}, all
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
