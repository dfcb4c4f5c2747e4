package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/words"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

func (p *planner) errorf(subject *hcl.Range, summary, detail string, args ...any) {
	if subject != nil && subject.Filename == "" {
		subject = nil // of what the command line asks for
	}
	p.diags = append(p.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: subject,
	})
}

func (p *planner) warnf(subject *hcl.Range, summary, detail string, args ...any) {
	p.plan.Warnings = append(p.plan.Warnings, &hcl.Diagnostic{
		Severity: hcl.DiagWarning, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: subject,
	})
}

func (p *planner) reportUnreadableReply(subject *hcl.Range, err error) {
	p.errorf(subject, "B2's answer cannot be read",
		"%s. Either B2 has changed, or this is a defect of b2form: please report it with this text.", capitalizeError(err))
}

func capitalizeError(err error) string {
	return words.CapitalizeUnlessName(strings.TrimSuffix(err.Error(), "."))
}

// CheckAccount is the error that the credentials are of another account than the configuration is for; nil: they are not.
func CheckAccount(c *config.Config, a *wire.Account) *hcl.Diagnostic {
	want := c.Settings.AccountID
	if want == "" || want == a.ID {
		return nil
	}
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Wrong account", Subject: c.Settings.Range.Ptr(),
		Detail: fmt.Sprintf("This configuration is for the account %s, but the credentials in use belong to %s. Use a key of the right "+
			"account, or change account_id.", want, a.ID)}
}

// checkRightAccountAndKindsRead refuses to plan for another account, and where a kind that
// matters could not be read: what cannot be seen must not look as if it did not
// exist.
func (p *planner) checkRightAccountAndKindsRead() {
	if wrong := CheckAccount(p.Config, p.Snapshot.Account); wrong != nil {
		p.diags = append(p.diags, wrong)
		return
	}
	needed := map[string]*hcl.Range{}
	for _, addr := range p.recordedOrAnnouncedAddrs {
		if p.kinds[addr.Kind] == nil {
			p.errorf(nil, "Unknown kind in the state",
				"The state holds %s, but this version of b2form does not know %q. Use the version that wrote the state, "+
					"or drop the record with `b2form state rm '%s'`.", addr, addr.Kind, addr)
		}
		needed[addr.Kind] = nil
	}
	if !p.Destroy {
		for _, r := range p.declared {
			if needed[r.Addr.Kind] == nil {
				needed[r.Addr.Kind] = &r.Block.HeaderRange
			}
			p.linkPlanner.addLinkTargetKinds(r, needed)
		}
	}
	for _, k := range p.Kinds {
		if subject, ok := needed[k.Name]; ok && !p.Snapshot.WasReadAtAll(k) {
			p.reportKindNotRead(k, subject)
		}
	}
}

// warnClockSkew warns of a clock that differs from B2's by more than a minute.
func (p *planner) warnClockSkew() {
	wrong := p.LocalClockTime.Sub(p.Now)
	if p.LocalClockTime.IsZero() || wrong.Abs() <= time.Minute {
		return
	}
	than := "ahead of"
	if wrong < 0 {
		than = "behind"
	}
	p.warnf(nil, "The clock of this machine is wrong", "It is %s %s B2's, which shows %s. What expires and when keys rotate is decided by "+
		"B2's clock. Set the clock: other programs, and the lock of a shared state, go by it.",
		words.ApproximateDuration(wrong.Abs().Round(time.Minute)),
		than,
		words.ReadableTime(p.Now))
}

func (p *planner) reportKindNotRead(k *kind.Kind, subject *hcl.Range) {
	var lacking []string
	reads := k.ReadCapabilities
	if holder := p.kinds[k.ParentKind()]; holder != nil {
		reads = slices.Concat(holder.ReadCapabilities, reads)
	}
	for _, c := range reads {
		if !p.Snapshot.Account.HasCapability(c) {
			lacking = append(lacking, c)
		}
	}
	if len(lacking) == 0 {
		p.errorf(subject, "Live "+k.Plural+" were not read", "b2form did not ask B2 for its %s. This is a defect of b2form.", k.Plural)
		return
	}
	p.errorf(subject, "Live "+k.Plural+" cannot be read",
		"The credentials in use lack the capability %s, so b2form cannot see which %s exist, and it does not guess. "+
			"Use a key that has it, or the master key.", strings.Join(lacking, " and "), k.Plural)
}

// checkCredentialScope reports whether "not live" can be believed: credentials that are
// limited to some buckets do not show the others.
func (p *planner) checkCredentialScope(r *config.Resource) (inScope bool) {
	holder, attr := r.Kind, r.Kind.IdentityAttr
	if whole := p.kinds[r.Kind.ParentKind()]; whole != nil {
		holder = whole
		if r.Kind.ScopeAttr() != "" {
			attr = r.Kind.ScopeAttr()
		}
	}
	identity := r.Kind.ParentIdentity(r.Identity())
	if !p.credentialsLimited(holder) {
		return true
	}
	for _, b := range p.allowedByCredentials(holder) {
		if b.Name != "" && holder.NormalizeIdentity(b.Name) == identity {
			return true
		}
	}
	rng := r.Block.RangeOf(attr)
	p.errorf(&rng, words.CapitalizeUnlessName(holder.Name)+" is outside what the credentials may use",
		"The credentials in use are limited to %s, so b2form cannot see whether %q exists. Use a key that is not limited to %s.",
		p.describeAllowed(holder), identity, holder.Plural)
	return false
}

// requireWithinAllowedNamePrefix refuses what credentials that are limited to a prefix of names may not touch. Those
// that can be looked for were refused when they were read; those in what is still to be made were not.
func (p *planner) requireWithinAllowedNamePrefix(r *config.Resource, _ match, c *Change) {
	prefix := p.Snapshot.Account.NamePrefix
	if c.Kind.ScopeAttr() == "" || prefix == "" || r == nil {
		return
	}
	if _, name, _ := strings.Cut(c.Identity, "/"); strings.HasPrefix(name, prefix) {
		return
	}
	rng := r.Block.RangeOf(c.Kind.IdentityAttr)
	p.errorf(&rng, words.CapitalizeUnlessName(c.Kind.Name)+" is outside what the credentials may use",
		"The credentials in use are limited to names that start with %s, so they cannot make %s. Use a key without that limit.",
		wire.QuoteB2Text(prefix), r.Addr)
}

// mayExistUnseen reports whether an object of the state, though not listed, may
// exist out of sight.
func (p *planner) mayExistUnseen(k *kind.Kind, id string) bool {
	if holder := p.kinds[k.ParentKind()]; holder != nil {
		k, id = holder, k.ParentIdentity(id)
	}
	if !p.credentialsLimited(k) {
		return false
	}
	for _, b := range p.allowedByCredentials(k) {
		if b.ID == id {
			return false
		}
	}
	return true
}

// credentialsLimited reports whether the credentials in use see only some objects of a
// kind.
func (p *planner) credentialsLimited(k *kind.Kind) bool {
	if k.AllowedObjects == nil {
		return false
	}
	_, limited := k.AllowedObjects(p.Snapshot.Account)
	return limited
}

// allowedByCredentials lists the objects of a kind that the credentials are limited to.
func (p *planner) allowedByCredentials(k *kind.Kind) []wire.AllowedBucket {
	list, _ := k.AllowedObjects(p.Snapshot.Account)
	return list
}

// describeAllowed names what the credentials are limited to.
func (p *planner) describeAllowed(k *kind.Kind) string {
	list := p.allowedByCredentials(k)
	if len(list) == 0 {
		return "no " + k.Name + " at all"
	}
	names := make([]string, len(list))
	for i, b := range list {
		names[i] = fmt.Sprintf("%q", b.Name)
		if b.Name == "" {
			names[i] = b.ID + " (deleted)"
		}
	}
	if len(names) == 1 {
		return "the " + k.Name + " " + names[0]
	}
	return "the " + k.Plural + " " + strings.Join(names, ", ")
}

// warnLiveProblems passes on what the kind finds about a live object.
func (p *planner) warnLiveProblems(r *config.Resource, live kind.AttrReader) {
	if r.Kind.CheckLive == nil {
		return
	}
	for _, problem := range r.Kind.CheckLive(live) {
		rng := problemRange(r, problem)
		p.warnf(&rng, problem.Summary, "%s", problem.Detail)
	}
}

// problemRange is where what a problem is about was written.
func problemRange(r *config.Resource, problem kind.Problem) hcl.Range {
	return r.Block.RangeAt(problem.Path)
}

// warnUnreadableAttrs names what could not be compared, and the capability that would help.
func (p *planner) warnUnreadableAttrs(r *config.Resource, hidden []string) {
	for _, name := range hidden {
		help := ""
		if guard := r.Kind.FindAttr(name).ReadCapability; guard != "" {
			help = fmt.Sprintf(" Use a key with the capability %s.", guard)
		}
		rng := r.Block.RangeOf(name)
		p.warnf(&rng, "Setting cannot be compared",
			"The credentials in use may not read %s of %s, so b2form cannot tell whether it is as declared.%s", name, r.Addr, help)
	}
}
