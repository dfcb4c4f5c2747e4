package view

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/internal/audit"
	"b2form/internal/visible"
	"b2form/schema/kind"
)

// Audit writes one paragraph per live credential and what was found about it.
func (t Text) Audit(r *audit.Report) {
	var b strings.Builder
	findings := func(indent string, list []kind.Finding) {
		for _, f := range list {
			b.WriteString(indent + t.Style.paint("! "+string(f.Rule)+": ", bold, yellow) + visible.Text(f.Detail) + "\n")
		}
	}
	if len(r.Account) > 0 {
		findings("", r.Account)
		b.WriteByte('\n')
	}
	for _, c := range r.Credentials {
		owner := "not in the state"
		switch {
		case c.Retiring:
			owner = c.Owner.String() + ", replaced"
		case c.Owned:
			owner = c.Owner.String()
		}
		b.WriteString(t.Style.paint(visible.Start(c.Name), bold) + "  (" + owner + ")\n")
		row := func(name, text string) { b.WriteString("  " + pad(name, 14) + visible.Text(text) + "\n") }
		row("id", c.ID)
		for _, a := range c.Kind.Settable() {
			if a.Name == c.Kind.Identity {
				continue
			}
			v := c.Value.GetAttr(a.Name)
			switch {
			case !v.IsNull() && v.IsKnown() && (a.Default == cty.NilVal || !v.RawEquals(a.Default)):
				row(a.Name, listInLine(v))
			case v.IsNull() && a.Note != nil && a.Note(v) != "":
				row(a.Name, a.Note(v))
			}
		}
		if !c.Expires.IsZero() {
			row("expires", formatTime(c.Expires))
		}
		findings("  ", c.Findings)
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s, %d with findings.\n", plural(len(r.Credentials), "live key", "live keys"), r.Found())
	io.WriteString(t.Out, b.String())
}

// listInLine is a value in one line: a list as its elements.
func listInLine(v cty.Value) string {
	if !v.Type().IsListType() || v.Type().ElementType() != cty.String {
		return Literal(v)
	}
	return strings.Join(kind.StringsIn(v), ", ")
}

// An Audit is a report as one JSON document.
type Audit struct {
	FormatVersion string         `json:"format_version"`
	Findings      []kind.Finding `json:"findings"` // about the credentials in use
	Keys          []AuditedKey   `json:"keys"`
}

// An AuditedKey is one live credential.
type AuditedKey struct {
	Address  string                     `json:"address,omitempty"` // left out: not in the state
	Retiring bool                       `json:"retiring,omitempty"`
	Name     string                     `json:"name"`
	ID       string                     `json:"id"`
	Expires  time.Time                  `json:"expires,omitzero"`
	Values   map[string]json.RawMessage `json:"values"`
	Findings []kind.Finding             `json:"findings"`
}

// NewAudit brings a report into its JSON shape. No secret is in it.
func NewAudit(r *audit.Report) (*Audit, error) {
	out := &Audit{FormatVersion: "1.0", Findings: append([]kind.Finding{}, r.Account...), Keys: []AuditedKey{}}
	for _, c := range r.Credentials {
		k := AuditedKey{
			Retiring: c.Retiring, Name: c.Name, ID: c.ID, Expires: c.Expires,
			Values: map[string]json.RawMessage{}, Findings: append([]kind.Finding{}, c.Findings...),
		}
		if c.Owned {
			k.Address = c.Owner.String()
		}
		for _, a := range c.Kind.Settable() {
			v := c.Value.GetAttr(a.Name)
			if a.Secret || v.IsNull() || !v.IsWhollyKnown() {
				continue
			}
			b, err := ctyjson.Marshal(v, v.Type())
			if err != nil {
				return nil, fmt.Errorf("%s %q: %w", c.Kind.Name, c.Name, err)
			}
			k.Values[a.Name] = b
		}
		out.Keys = append(out.Keys, k)
	}
	return out, nil
}
