package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/internal/secret"
	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// checkConsent checks what -auto-approve alone is no consent to, before anything
// is written. It says what to add, beside the errors of the plan that were found already.
func (s *session) checkConsent(p *plan.Plan, m view.PlanPurpose, earlierErrors hcl.Diagnostics) error {
	diags := earlierErrors
	if s.runOptions.autoApprove && s.runOptions.expectedDigest == nil && s.savedPlan == nil {
		diags = slices.Concat(diags, s.refuseHazards(p), s.refuseUndeclaredImports(p),
			s.unrecordedDeletesNeedingConsent(p, hcl.DiagError), s.limitsNeedingConsent(p, m, hcl.DiagError))
	}
	diags = slices.Concat(diags, s.refuseUndelivered(p), s.diagnoseUndeliverable(p, hcl.DiagError, s.secretOptions()),
		s.diagnoseMissingCapabilities(p, hcl.DiagError), s.diagnoseUndeletable(hcl.DiagError))
	if len(diags) > 0 {
		return diags
	}
	return nil
}

func (s *session) refuseHazards(p *plan.Plan) hcl.Diagnostics {
	var refused []kind.HazardKind
	var where []string
	for i := range p.Changes {
		c := &p.Changes[i]
		for _, h := range c.Hazards {
			if !needsAllow(c, h) || slices.Contains(s.runOptions.allowedHazards, h.Kind) ||
				slices.Contains(s.config.Settings.Allow, h.Kind) {
				continue
			}
			refused = append(refused, h.Kind)
			where = append(where, fmt.Sprintf("  %s: %s: %s", c.Addr, h.Kind, h.Detail))
		}
	}
	if len(refused) == 0 {
		return nil
	}
	slices.Sort(refused)
	var names []string
	for _, h := range slices.Compact(refused) {
		names = append(names, h.AllowFlagValue())
	}
	const most = 20
	if n := len(where); n > most {
		where = append(where[:most], fmt.Sprintf("  (and %d more)", n-most))
	}
	return hcl.Diagnostics{{Severity: hcl.DiagError,
		Summary: "Hazards need consent of their own",
		Detail: fmt.Sprintf("-auto-approve alone does not carry this out:\n%s\nIf it is wanted, add -allow=%s, or put allow = [%s] into "+
			"the b2form block. Without -auto-approve, the prompt is the consent.",
			strings.Join(where, "\n"), strings.Join(names, ","), `"`+strings.Join(names, `", "`)+`"`),
	}}
}

// needsAllow reports whether -auto-approve alone does not carry out what has the hazard. Who agrees that something is taken over does not
// agree that its users are cut off.
func needsAllow(c *plan.Change, h kind.Hazard) bool {
	return h.Kind.NeedsAllow() || h.Kind == kind.RevokesAccess && len(c.MaybeForeignReplaced) > 0
}

// refuseUndeclaredImports keeps a pipeline from taking over what somebody else made.
func (s *session) refuseUndeclaredImports(p *plan.Plan) hcl.Diagnostics {
	if s.runOptions.allowImports {
		return nil
	}
	declared := make(map[addr.Addr]config.Import, len(s.config.Imports))
	for _, i := range s.config.Imports {
		declared[i.To] = i
	}
	var diags hcl.Diagnostics
	for i := range p.Changes {
		c := &p.Changes[i]
		taken := slices.DeleteFunc(slices.Clone(c.Imports()), func(o plan.NamedObject) bool {
			block, ok := declared[c.Addr]
			return ok && block.Matches(c.Kind, o.ID, o.Name)
		})
		if len(taken) == 0 {
			continue
		}
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError,
			Summary: "Import needs consent",
			Detail:  undeclaredImportDetail(c, taken),
			Subject: s.blockRange(c.Addr), Extra: config.SharedCauseExtra{AffectedAddr: c.Addr},
		})
	}
	return diags
}

// unrecordedDeletesNeedingConsent keeps a pipeline from deleting what only an announcement calls ours, where it may be
// somebody else's: it may have been made long after the announcement; and where the configuration has another name at
// its address, or none, the state may have been edited.
func (s *session) unrecordedDeletesNeedingConsent(p *plan.Plan, severity hcl.DiagnosticSeverity) hcl.Diagnostics {
	known := map[plan.NamedObject]bool{}
	for _, e := range s.state.Entries {
		for id := range e.IDs() {
			known[plan.NamedObject{ID: id, Name: e.Addr.Kind}] = true
		}
	}
	declared := map[addr.Addr]string{}
	for _, r := range s.config.Resources {
		declared[r.Addr] = r.Identity()
	}
	var foreign []string
	for i := range p.Changes {
		c := &p.Changes[i]
		for _, o := range c.Deletes() {
			base, _, stamped := kind.ParseTimestampedName(o.Name)
			named := o.Name == declared[c.Addr] || stamped && base == declared[c.Addr]
			ours := known[plan.NamedObject{ID: o.ID, Name: c.Kind.Name}] || slices.Contains(c.Imports(), o)
			if !ours && (!named || slices.Contains(c.MaybeForeignDeletes, o)) {
				foreign = append(foreign, fmt.Sprintf("  %s: %s", c.Addr, o))
			}
		}
	}
	if len(foreign) == 0 {
		return nil
	}
	return hcl.Diagnostics{{Severity: severity, Summary: "Deletion needs consent",
		Detail: fmt.Sprintf("-auto-approve alone does not delete what the state only announces, where more than ten minutes have passed "+
			"since, or the configuration does not have that name at that address: it may be somebody else's.\n%s\nIf an interrupted run "+
			"made it, run apply without -auto-approve, or with the plan's digest in -expect. If not, somebody else made it since, or the "+
			"state was edited or badly merged: restore it, or drop the announcement with `b2form state rm ADDRESS`.",
			strings.Join(foreign, "\n")),
	}}
}

func undeclaredImportDetail(c *plan.Change, taken []plan.NamedObject) string {
	deleting := ""
	switch foreign := len(c.MaybeForeignReplaced) > 0; {
	case foreign && c.Action == plan.Replace && len(c.ImportedSiblings) == 0:
		deleting = " The same run would destroy what differs from the block: to keep it, write the block as that is live, or give it " +
			"another name."
	case foreign && len(c.Imports()) == 1:
		deleting = " After the overlap it would be destroyed, though the block may not have made it: to keep it, give the block's " +
			"key another name."
	case foreign:
		deleting = "After the overlap they would be destroyed, though the block may not have made all of them: to keep them, give the " +
			"block's key another name. "
	}
	if len(c.Imports()) == 1 {
		id := c.Identity
		if o := taken[0]; c.Kind.NormalizeIdentity(id) != o.Name || o.ID != c.RemoteID {
			id = o.ID // a name with a time behind it
		}
		return fmt.Sprintf("%s would take over the %s %q, which exists already and is not in the state.%s If it is yours to manage, add "+
			"-adopt, or write\n  import {\n    to = %s\n    id = %q\n  }",
			c.Addr, c.Kind.Name, taken[0].Name, deleting, c.Addr, id)
	}
	var names, ids []string
	for _, o := range c.Imports() {
		names, ids = append(names, "  "+o.String()), append(ids, fmt.Sprintf("%q", o.ID))
	}
	return fmt.Sprintf("%s would take over these %s, which exist already and are not in the state:\n%s\n%sIf they are yours to manage, "+
		"add -adopt, or write\n"+
		"  import {\n    to  = %s\n    ids = [%s]\n  }",
		c.Addr, c.Kind.Plural, strings.Join(names, "\n"), deleting, c.Addr, strings.Join(ids, ", "))
}

// refuseUndelivered keeps a key from being made whose secret nobody would see.
func (s *session) refuseUndelivered(p *plan.Plan) hcl.Diagnostics {
	if s.showsUndeliveredSecrets() {
		return nil
	}
	var diags hcl.Diagnostics
	for _, addr := range p.Undelivered {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError,
			Summary: "The secret would be lost",
			Detail: fmt.Sprintf("B2 shows the secret of %s once, when it is made, and here is no terminal to show it on. Add a deliver "+
				"block that says where it goes, such as deliver \"file\" { path = %s }, or add -show-secrets, which prints the "+
				"secrets of all new keys, also of those that are delivered, and sensitive outputs.", addr,
				s.exampleDeliveryPath(addr)),
			Subject: s.blockRange(addr), Extra: config.SharedCauseExtra{AffectedAddr: addr},
		})
	}
	return diags
}

// diagnoseUndeliverable keeps a run from beginning that could not deliver the secret of a new key.
func (s *session) diagnoseUndeliverable(p *plan.Plan, severity hcl.DiagnosticSeverity, o secret.DeliveryOptions) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, r := range s.resourcesWithNewSecret(p) {
		for _, d := range explainAsDiagnostics(secret.Check(r.Deliveries, o)) {
			d.Extra, d.Severity = r.Addr, severity
			diags = append(diags, d)
		}
	}
	return diags
}

// resourcesWithNewSecret are those of which the plan makes an object whose secret is to be delivered.
func (s *session) resourcesWithNewSecret(p *plan.Plan) []*config.Resource {
	isNew := map[addr.Addr]bool{}
	for i := range p.Changes {
		c := &p.Changes[i]
		isNew[c.Addr] = c.Action.MakesObject() && c.Kind.YieldsSecret()
	}
	return slices.DeleteFunc(slices.Clone(s.config.Resources), func(r *config.Resource) bool { return !isNew[r.Addr] })
}

// showsUndeliveredSecrets reports whether an apply would show a secret that is delivered
// nowhere.
func (s *session) showsUndeliveredSecrets() bool {
	return s.runOptions.showSecrets || s.stdoutTerminal && !s.json
}

// warnUndelivered says of keys without a delivery that their secret is shown at most
// once.
func (s *session) warnUndelivered(p *plan.Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, addr := range p.Undelivered {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning,
			Summary: "The secret would be lost",
			Detail: fmt.Sprintf("B2 shows the secret of %s once, when it is made, and no deliver block says where it goes. Add one, for "+
				"instance\n"+
				"  deliver \"file\" {\n    path = %s\n  }\nWithout one, apply shows it once, as soon as it is made, on a "+
				"terminal, or with -show-secrets, which prints those of all new keys, and otherwise refuses to make the key.",
				addr, s.exampleDeliveryPath(addr)),
			Subject: s.blockRange(addr), Extra: addr,
		})
	}
	return diags
}

// exampleDeliveryPath is the expression for a path that suits the block of a resource: another one for each instance of the block or
// of its module, as the name of what is declared is, and not in the folder of a module.
func (s *session) exampleDeliveryPath(a addr.Addr) string {
	folder, file := "", a.Label
	if a.Module != "" {
		folder = "${path.root}/"
	}
	if a.Module != "" || a.Instance != (addr.InstanceKey{}) {
		file = cmp.Or(s.writtenNameTemplate(a), file)
	}
	return `"` + folder + file + `.env"`
}

// writtenNameTemplate is the name of a resource as its block has it, for a template: "${var.site}-reader"; "": it is not known.
func (s *session) writtenNameTemplate(a addr.Addr) string {
	r := s.config.FindResource(a)
	if r == nil {
		return ""
	}
	at := r.Block.RangeOf(r.Kind.IdentityAttr)
	file := s.sourceFiles[at.Filename]
	if file == nil || at == r.Block.HeaderRange {
		return ""
	}
	separator := "="
	if strings.HasSuffix(at.Filename, ".json") {
		separator = ":"
	}
	_, text, _ := strings.Cut(string(at.SliceBytes(file.Bytes)), separator)
	text = strings.TrimSpace(text)
	e, diags := hclsyntax.ParseExpression([]byte(text), at.Filename, hcl.InitialPos)
	if diags.HasErrors() || strings.Contains(text, "\n") {
		return ""
	}
	switch e.(type) {
	case *hclsyntax.TemplateExpr, *hclsyntax.TemplateWrapExpr:
		return text[1 : len(text)-1]
	}
	return "${" + text + "}"
}
