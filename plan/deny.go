package plan

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// CheckDenied are the errors of declared objects that the configuration itself
// denies. It needs nothing live.
func CheckDenied(c *config.Config) hcl.Diagnostics {
	if len(c.Settings.Deny) == 0 {
		return nil // looking at every key takes a tenth of a plan's time
	}
	var diags hcl.Diagnostics
	for _, r := range c.Resources {
		if r.Kind.Credential == nil {
			continue
		}
		for _, f := range r.Kind.Credential.Lint(r.Value, cty.NullVal(r.Kind.LiveType())) {
			if slices.Contains(c.Settings.Deny, f.Rule) {
				diags = append(diags, denyError(r.Block.RangeOf(f.Attr), fmt.Sprintf("%s: %s", r.Addr, f.Detail), f.Rule))
			}
		}
	}
	return diags
}

// CheckDeniedAccount is the error that the credentials in use are denied; nil
// where they are not.
func CheckDeniedAccount(c *config.Config, a *wire.Account) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range kind.LintAccount(a) {
		if slices.Contains(c.Settings.Deny, f.Rule) {
			diags = append(diags, denyError(c.Settings.Range, f.Detail, f.Rule))
		}
	}
	return diags
}

func denyError(at hcl.Range, detail string, rule kind.Rule) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Wider access than allowed", Subject: &at,
		Detail: fmt.Sprintf("%s. The b2form block denies %s.", words.Capital(detail), rule)}
}

func (p *planner) checkDenied() {
	if !p.Destroy {
		p.diags = append(p.diags, CheckDeniedAccount(p.Config, p.Snapshot.Account)...)
		p.diags = append(p.diags, CheckDenied(p.Config)...)
	}
}
