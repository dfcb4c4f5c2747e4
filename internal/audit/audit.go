// Package audit looks over the credentials that live in an account: whose they
// are, and what about them deserves a look.
package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// What only a look at the live account can find.
const (
	bucketGone    kind.LintRuleName = "bucket-gone"
	duplicateName kind.LintRuleName = "duplicate-name"
	expiresSoon   kind.LintRuleName = "expires-soon"
	unowned       kind.LintRuleName = "unowned"
)

// Request is what Run works with.
type Request struct {
	Config       *config.Config
	Kinds        []*kind.Kind
	Snapshot     *kind.Snapshot    // with all objects of the kinds that yield credentials
	Entries      []addr.StateEntry // what is ours
	OtherEntries []addr.StateEntry // what other states own, which counts as managed too
	// OtherStateBuckets are the buckets that hold these.
	OtherStateBuckets []string
	Now               time.Time
	ExpiresWithin     time.Duration // how far ahead an expiry is worth mentioning
}

// A Report is what was found.
type Report struct {
	OwnCredentialFindings []kind.Finding // about the credentials in use
	Credentials           []Credential   // sorted by name, then by ID
}

// A Credential is one live object that somebody can identify with.
type Credential struct {
	Kind      *kind.Kind
	ID        string
	Name      string
	StateAddr addr.Addr // where InState
	InState   bool      // the state has it
	Retiring  bool      // it has a successor
	LiveValue cty.Value // as decoded, with other objects by the names that B2 answers; its secret is not known to anybody
	Expires   time.Time // zero: never
	Findings  []kind.Finding
}

// CountCredentialsWithFindings counts the credentials with findings.
func (r *Report) CountCredentialsWithFindings() int {
	n := 0
	for _, c := range r.Credentials {
		if len(c.Findings) > 0 {
			n++
		}
	}
	return n
}

// Run goes through every live credential. An error means that B2's answer
// cannot be read.
func Run(o Request) (*Report, error) {
	l := auditor{Request: o, ownedByID: map[string]Credential{}, declared: o.Config.ResourcesByAddr()}
	for _, e := range o.Entries {
		l.ownedByID[e.ID] = Credential{StateAddr: e.Addr, InState: true}
		for _, old := range e.Retiring {
			l.ownedByID[old.ID] = Credential{StateAddr: e.Addr, InState: true, Retiring: true}
		}
	}
	report := &Report{OwnCredentialFindings: kind.LintMasterKey(o.Snapshot.Account)}
	for _, k := range o.Kinds {
		if !k.YieldsSecret() {
			continue
		}
		for _, live := range o.Snapshot.AllRead(k) {
			c, err := l.auditCredential(k, live)
			if err != nil {
				return nil, err
			}
			report.Credentials = append(report.Credentials, c)
		}
	}
	slices.SortFunc(report.Credentials, func(a, b Credential) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return report, nil
}

type auditor struct {
	Request
	ownedByID map[string]Credential // by ID; only what the state knows
	declared  map[addr.Addr]*config.Resource
}

func (l *auditor) auditCredential(k *kind.Kind, live *kind.Object) (Credential, error) {
	v, err := live.Value()
	if err != nil {
		return Credential{}, err
	}
	c := l.ownedByID[live.ID]
	c.Kind, c.ID, c.Name, c.LiveValue, c.Expires = k, live.ID, live.Identity, l.withUnnormalizedNames(k, v), k.ExpiryOf(v)
	var want kind.AttrReader = cty.NullVal(k.ConfigType())
	if r := l.declared[c.StateAddr]; c.InState && r != nil {
		want = r.Value
	}
	_, rotates := k.RotationOf(want)
	found := func(rule kind.LintRuleName, detail string, args ...any) {
		c.Findings = append(c.Findings, kind.Finding{Rule: rule, Detail: fmt.Sprintf(detail, args...)})
	}
	if !c.InState && len(l.ownedByID)+len(l.declared) > 0 { // where nothing can be owned, that says nothing
		found(unowned, "the state here does not know it: it was made by hand or by another configuration")
	}
	if gone := l.deletedRefs(k, v); len(gone) > 0 {
		found(bucketGone, "it is limited to what no longer exists: %s", strings.Join(gone, ", "))
	}
	same := l.Snapshot.ByIdentity(k, live.Identity)
	if len(same) > 1 && slices.ContainsFunc(same, func(o *kind.Object) bool { return !l.ownedByID[o.ID].InState }) {
		found(duplicateName, "%d live %s have this name", len(same), k.Plural)
	}
	if left := c.Expires.Sub(l.Now); !c.Expires.IsZero() && left <= l.ExpiresWithin && !rotates {
		found(expiresSoon, "it expires in %s, on %s", words.ApproximateDuration(left), words.ReadableTime(c.Expires))
	}
	if k.Credential != nil {
		c.Findings = append(c.Findings, k.Credential.Lint(want, v)...)
	}
	slices.SortStableFunc(c.Findings, func(a, b kind.Finding) int { return strings.Compare(string(a.Rule), string(b.Rule)) })
	return c, nil
}

// withUnnormalizedNames is a decoded object whose references are names as B2 answers them: decoded ones are in a normal form.
func (l *auditor) withUnnormalizedNames(k *kind.Kind, v cty.Value) cty.Value {
	attrs := v.AsValueMap()
	for i := range k.Attrs {
		a := &k.Attrs[i]
		to := kind.FindKind(l.Kinds, a.Link.RefKind)
		if to == nil {
			continue
		}
		attrs[a.Name], _ = cty.Transform(attrs[a.Name], func(_ cty.Path, text cty.Value) (cty.Value, error) { // it returns no error
			if text.Type() != cty.String || text.IsNull() || !text.IsKnown() {
				return text, nil
			}
			for _, o := range l.Snapshot.ByIdentity(to, text.AsString()) {
				if live, err := o.Values(); err == nil {
					return live.GetAttr(to.IdentityAttr), nil
				}
			}
			return text, nil
		})
	}
	return cty.ObjectVal(attrs)
}

// deletedRefs lists the references to objects that are deleted, as far as those were
// read.
func (l *auditor) deletedRefs(k *kind.Kind, v cty.Value) []string {
	var out []string
	for i := range k.Attrs {
		a := &k.Attrs[i]
		for _, m := range a.References(v.GetAttr(a.Name)) {
			if l.wasKindReadAtAll(m.Attr.Link.RefKind) && kind.IsDeletedRef(m.Name) {
				out = append(out, strings.Trim(m.Name, "()"))
			}
		}
	}
	return out
}

func (l *auditor) wasKindReadAtAll(name string) bool {
	k := kind.FindKind(l.Kinds, name)
	return k != nil && l.Snapshot.WasReadAtAll(k)
}
