package plan

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// CheckDenyRules are the errors of declared objects that the configuration itself
// denies. It needs nothing live; of the objects that a plan keeps, it judges what is kept as well.
func CheckDenyRules(c *config.Config, kept map[addr.Addr]KeptObject) hcl.Diagnostics {
	if len(c.Settings.Deny) == 0 {
		return nil // looking at every key takes a tenth of a plan's time
	}
	var diags hcl.Diagnostics
	for _, r := range c.Resources {
		if r.Kind.Credential == nil {
			continue
		}
		findings := lintDeclared(r.Kind, r.Value)
		if k, stays := kept[r.Addr]; stays {
			for _, f := range lintDeclared(r.Kind, k.value(r)) {
				if !slices.ContainsFunc(findings, func(g kind.Finding) bool { return g.Rule == f.Rule }) {
					f.Detail = "as ignore_changes leaves it, " + f.Detail
					findings = append(findings, f)
				}
			}
		}
		for _, f := range findings {
			if slices.Contains(c.Settings.Deny, f.Rule) && !isExcepted(r, f.Rule) {
				diags = append(diags, denyError(r.Block.RangeOf(f.Attr), r.Addr, fmt.Sprintf("%s: %s", r.Addr, f.Detail), f.Rule))
			}
		}
	}
	return diags
}

// lintDeclared is what may be denied of a declared credential.
func lintDeclared(k *kind.Kind, want kind.AttrReader) []kind.Finding {
	return append(k.Credential.Lint(want, cty.NullVal(k.LiveType())), k.Credential.UnusableFindings(want)...)
}

// WarnUnusableCredentials warns of declared credentials that most programs cannot use, once a block.
// What other objects name is for B2 itself.
func WarnUnusableCredentials(c *config.Config) hcl.Diagnostics {
	var diags hcl.Diagnostics
	said := map[*config.BlockRanges]bool{}
	isForB2 := map[addr.Addr]bool{}
	for _, r := range c.Resources {
		for _, a := range r.DeferredNeeds {
			isForB2[a] = true
		}
	}
	for _, r := range c.Resources {
		if r.Kind.Credential == nil || said[r.Block] || isForB2[r.Addr] {
			continue
		}
		for _, f := range r.Kind.Credential.UnusableFindings(r.Value) {
			if slices.Contains(c.Settings.Ignore, f.Rule) || slices.Contains(c.Settings.Deny, f.Rule) {
				continue
			}
			said[r.Block] = true
			at := r.Block.RangeOf(f.Attr)
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: unusable, Subject: &at,
				Detail: fmt.Sprintf("%s: %s. Where its program works without, write ignore = [%q] in the b2form block.", r.Addr, f.Detail,
					f.Rule)})
		}
	}
	return diags
}

// CheckAccountDenyRules is the error that the credentials in use are denied; nil
// where they are not.
func CheckAccountDenyRules(c *config.Config, a *wire.Account) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range kind.LintMasterKey(a) {
		if slices.Contains(c.Settings.Deny, f.Rule) {
			diags = append(diags, denyError(c.Settings.Range, addr.Addr{}, words.CapitalizeUnlessName(f.Detail), f.Rule))
		}
	}
	return diags
}

const unusable = "Of no use to most programs"

func denyError(at hcl.Range, about addr.Addr, detail string, rule kind.LintRuleName) *hcl.Diagnostic {
	summary := "Wider access than allowed"
	if _, rules := kind.DeniableRules(); slices.Contains(rules, rule) {
		summary = unusable
	}
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Subject: &at,
		Detail: fmt.Sprintf("%s. The policy %[2]s, which comes with b2form, forbids it: the b2form block denies %[2]s.", detail, rule),
		Extra:  config.ViolationExtra{Policy: string(rule), Addr: about}}
}

// isExcepted reports whether a resource says that a rule does not hold for it.
func isExcepted(r *config.Resource, rule kind.LintRuleName) bool {
	return slices.ContainsFunc(r.Exceptions, func(x config.Exception) bool { return x.Policy == string(rule) })
}
