package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/internal/words"
	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// evaluateSettings reads the b2form block.
func (l *module) evaluateSettings() {
	if l.settings == nil {
		return
	}
	content, _ := l.readContent(l.settings, syntax.FindFixedBlock("b2form"))
	l.config.Settings.Range = l.settings.DefRange
	if a := content.Attributes["required_version"]; a != nil {
		if v, ok := l.evalSetting(a, cty.String, "a string"); ok && !v.IsNull() {
			l.requireVersion(a, v.AsString())
		}
	}
	if a := content.Attributes["account_id"]; a != nil {
		if v, ok := l.evalSetting(a, cty.String, "a string"); ok && !v.IsNull() {
			l.config.Settings.AccountID = v.AsString()
			if v.AsString() == "" {
				l.errorAt(a.Expr.Range(), "Invalid account", "account_id is empty. Write the account's ID, or remove the argument to "+
					"accept any account.")
			}
		}
	}
	if a := content.Attributes["allow"]; a != nil {
		if v, ok := l.evalSetting(a, cty.List(cty.String), "a list of strings"); ok && !v.IsNull() {
			l.readAllow(a, v)
		}
	}
	if a := content.Attributes["deny"]; a != nil {
		if v, ok := l.evalSetting(a, cty.List(cty.String), "a list of strings"); ok && !v.IsNull() {
			l.config.Settings.Deny = l.readLintRules(a, v)
		}
	}
	if a := content.Attributes["ignore"]; a != nil {
		if v, ok := l.evalSetting(a, cty.List(cty.String), "a list of strings"); ok && !v.IsNull() {
			l.config.Settings.Ignore = l.readLintRules(a, v)
		}
	}
	var backends, limits hcl.Blocks
	for _, b := range content.Blocks {
		if b.Type == "limits" {
			limits = append(limits, b)
		} else {
			backends = append(backends, b)
		}
	}
	l.evaluateBackend(backends)
	l.evaluateLimits(limits)
}

// evalSetting evaluates one argument of the b2form block.
func (l *module) evalSetting(a *hcl.Attribute, want cty.Type, wantText string) (value cty.Value, ok bool) {
	rs := l.resolve(a.Expr.Variables(), allowedRefs{})
	v, marks := l.staticScope.eval(a.Expr, l.staticScope.context(rs, l.baseContext)).UnmarkDeep()
	if marks.Has(kind.Sensitive) {
		l.errorAt(a.Expr.Range(), "Sensitive "+a.Name, a.Name+" is shown in messages, so it cannot come from a sensitive value. Use "+
			"nonsensitive() where that is harmless.")
		return v, false
	}
	if !v.IsWhollyKnown() {
		l.reportUnknownUnlessPending(l.report, a.Expr.Range(), marks)
		return v, false
	}
	out, err := convert.Convert(v, want)
	if err != nil {
		l.errorAt(a.Expr.Range(), wrongType, fmt.Sprintf("%s needs %s.", a.Name, wantText))
		return v, false
	}
	return out, true
}

func (l *module) requireVersion(a *hcl.Attribute, constraintText string) {
	want, err := version.NewConstraint(constraintText)
	if err != nil {
		l.errorAt(a.Expr.Range(), "Invalid version constraint", fmt.Sprintf("%q is not a version constraint. Write one like \">= 1.2\" "+
			"or \"~> 1.4\".", constraintText))
		return
	}
	have, err := version.NewVersion(l.Version)
	if err != nil {
		return // a build without a version
	}
	if !want.Check(have.Core()) {
		l.errorAt(a.Expr.Range(), "Unsupported version of b2form", fmt.Sprintf("This is b2form %s, and the configuration needs %s. "+
			"Install a version that fits.", have, want))
	}
}

// readAllow reads hazards, by their flag or in words.
func (l *module) readAllow(a *hcl.Attribute, list cty.Value) {
	flags := syntax.FindFixedBlock("b2form").FindArgument(a.Name).Choices
	for i, v := range list.AsValueSlice() {
		at := locateIn(a.Expr, cty.IndexIntPath(i), false)
		name := ""
		if !v.IsNull() {
			name = strings.ReplaceAll(v.AsString(), " ", "-")
		}
		n := slices.Index(flags, name)
		if n < 0 {
			l.errorAt(at, "Unknown hazard", fmt.Sprintf("There is no hazard %q; the hazards are %s.%s", name, words.JoinAnd(flags),
				words.DidYouMean(name, "", flags)))
			continue
		}
		if h := kind.HazardKinds()[n]; !slices.Contains(l.config.Settings.Allow, h) {
			l.config.Settings.Allow = append(l.config.Settings.Allow, h)
		}
	}
}

// readLintRules reads rules about keys.
func (l *module) readLintRules(a *hcl.Attribute, list cty.Value) []kind.LintRuleName {
	var out []kind.LintRuleName
	known := syntax.FindFixedBlock("b2form").FindArgument(a.Name).Choices
	for i, v := range list.AsValueSlice() {
		name := ""
		if !v.IsNull() {
			name = v.AsString()
		}
		if !slices.Contains(known, name) {
			l.errorAt(locateIn(a.Expr, cty.IndexIntPath(i), false), "Unknown rule", fmt.Sprintf("%s takes no rule %q, only %s.%s", a.Name,
				name, words.JoinAnd(known), words.DidYouMean(name, "", known)))
			continue
		}
		out = append(out, kind.LintRuleName(name))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
