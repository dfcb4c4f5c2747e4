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
	"b2form/internal/words"
	"b2form/schema/kind"
)

// Audit writes one line per live credential: whose it is, what it reaches, and what was
// found about it; two lines where the screen has no room for that. Verbose: a paragraph with everything.
func (t TextUI) Audit(r *audit.Report) {
	var b strings.Builder
	t.writeFindings(&b, "", r.OwnCredentialFindings)
	if len(r.OwnCredentialFindings) > 0 {
		b.WriteByte('\n')
	}
	switch {
	case t.Verbose:
		for _, c := range r.Credentials {
			t.writeCredential(&b, c)
		}
	case len(r.Credentials) > 0:
		rows := [][]string{{"NAME", "OWNER", "MAY", "BUCKETS", "ENDS", "FINDINGS"}}
		for _, c := range r.Credentials {
			rows = append(rows, CredentialCells(c))
		}
		b.WriteString(t.credentialTable(rows) + "\n")
	}
	summary := fmt.Sprintf("%s, %d with findings.", words.Count(len(r.Credentials), "live key", "live keys"),
		r.CountCredentialsWithFindings())
	if !t.Verbose && r.CountCredentialsWithFindings() > 0 {
		summary += " -verbose tells what they mean."
	}
	b.WriteString(Wrap(summary, t.Style.Width) + "\n")
	io.WriteString(t.Out, b.String())
}

// credentialTable aligns rows of CredentialCells. Cut to the screen's width, names and owners would be alike: there they have a
// line of their own.
func (t TextUI) credentialTable(rows [][]string) string {
	const indent, own = "  ", 2
	if t.Style.Width == 0 || tableWidth(rows) <= t.Style.Width {
		return t.alignColumns(rows, t.Style.Width, "")
	}
	head, rest := make([][]string, len(rows)), make([][]string, len(rows))
	for i, r := range rows {
		head[i], rest[i] = r[:own], r[own:]
	}
	first := strings.SplitAfter(t.alignColumns(head, t.Style.Width, ""), "\n")
	second := strings.SplitAfter(t.alignColumns(rest, t.Style.Width-len(indent), "ENDS", "FINDINGS"), "\n")
	var b strings.Builder
	for i := range rows {
		b.WriteString(first[i] + indent + second[i])
	}
	return b.String()
}

func (t TextUI) writeFindings(b *strings.Builder, indent string, list []kind.Finding) {
	for _, f := range list {
		text := indent + t.Style.paint("! "+string(f.Rule)+": ", bold, yellow) + visible.EscapeLine(f.Detail)
		b.WriteString(strings.Join(wrapLine(text, t.Style.Width, indent+"  "), "\n") + "\n")
	}
}

// ownerText is whose a credential is.
func ownerText(c audit.Credential) string {
	switch {
	case c.Retiring:
		return c.StateAddr.String() + ", replaced"
	case c.InState:
		return c.StateAddr.String()
	}
	return "not in the state"
}

func (t TextUI) writeCredential(b *strings.Builder, c audit.Credential) {
	b.WriteString(t.Style.paint(visible.EscapeTextAtLineStart(c.Name), bold) + "  (" + ownerText(c) + ")\n")
	row := func(name, text string) {
		line := "  " + padRight(name, 14) + visible.EscapeLine(text)
		b.WriteString(strings.Join(wrapLine(line, t.Style.Width, strings.Repeat(" ", 16)), "\n") + "\n")
	}
	row("id", c.ID)
	for _, a := range c.Kind.SettableAttrs() {
		if a.Name == c.Kind.IdentityAttr {
			continue
		}
		v := c.LiveValue.GetAttr(a.Name)
		switch {
		case !v.IsNull() && v.IsKnown() && (a.Default == cty.NilVal || !v.RawEquals(a.Default)):
			row(a.Name, joinedListOrHCL(v))
		case v.IsNull() && a.Note != nil && a.Note(v) != "":
			row(a.Name, a.Note(v))
		}
	}
	if !c.Expires.IsZero() {
		row("expires", words.ReadableTime(c.Expires))
	}
	t.writeFindings(b, "  ", c.Findings)
	b.WriteByte('\n')
}

// CredentialCells is a credential in a line: name, owner, what it may do, its buckets, its end, its findings.
func CredentialCells(c audit.Credential) []string {
	may, reaches, ends := "", "every bucket", "never"
	for i := range c.Kind.Attrs {
		if a := &c.Kind.Attrs[i]; a.WebConsoleName != nil {
			may = capabilitiesText(a, c.LiveValue.GetAttr(a.Name))
		}
	}
	buckets, prefix := c.Kind.Credential.Reach(c.LiveValue)
	if len(buckets) > 0 {
		reaches = strings.Join(buckets, ", ")
	}
	if prefix != "" {
		reaches += ": " + prefix + "*"
	}
	if !c.Expires.IsZero() {
		ends = c.Expires.UTC().Format("2006-01-02")
	}
	var found []string
	for _, f := range c.Findings {
		found = append(found, string(f.Rule))
	}
	cells := []string{visible.EscapeTextAtLineStart(c.Name), ownerText(c), may, reaches, ends, strings.Join(found, ", ")}
	for i := range cells {
		cells[i] = visible.EscapeLine(cells[i])
	}
	return cells
}

// capabilitiesText is a list of rights in a few words.
func capabilitiesText(a *kind.Attr, v cty.Value) string {
	if !v.IsWhollyKnown() || v.IsNull() {
		return ""
	}
	list := kind.StringsIfWhollyKnown(v)
	switch preset := a.WebConsoleName(v); {
	case preset != "":
		return preset
	case len(list) > 2:
		return fmt.Sprintf("%d %s", len(list), a.Name)
	}
	return strings.Join(list, ", ")
}

// joinedListOrHCL is a value in one line: a list as its elements.
func joinedListOrHCL(v cty.Value) string {
	if !v.Type().IsListType() || v.Type().ElementType() != cty.String {
		return FormatHCLHidingSensitive(v)
	}
	return strings.Join(kind.StringsIfWhollyKnown(v), ", ")
}

// An AuditDocument is a report as one JSON document.
type AuditDocument struct {
	FormatVersion         string         `json:"format_version"`
	OwnCredentialFindings []kind.Finding `json:"findings"` // about the credentials in use
	Keys                  []AuditedKey   `json:"keys"`
}

// An AuditedKey is one live credential.
type AuditedKey struct {
	Address    string                     `json:"address,omitempty"` // left out: not in the state
	Retiring   bool                       `json:"retiring,omitempty"`
	Name       string                     `json:"name"`
	ID         string                     `json:"id"`
	Expires    time.Time                  `json:"expires,omitzero"`
	AttrValues map[string]json.RawMessage `json:"values"`
	Findings   []kind.Finding             `json:"findings"`
}

// NewAuditDocument brings a report into its JSON shape. No secret is in it.
func NewAuditDocument(r *audit.Report) (*AuditDocument, error) {
	out := &AuditDocument{FormatVersion: "1.0", OwnCredentialFindings: append([]kind.Finding{}, r.OwnCredentialFindings...),
		Keys: []AuditedKey{}}
	for _, c := range r.Credentials {
		k := AuditedKey{
			Retiring: c.Retiring, Name: c.Name, ID: c.ID, Expires: c.Expires,
			AttrValues: map[string]json.RawMessage{}, Findings: append([]kind.Finding{}, c.Findings...),
		}
		if c.InState {
			k.Address = c.StateAddr.String()
		}
		for _, a := range c.Kind.SettableAttrs() {
			v := c.LiveValue.GetAttr(a.Name)
			if a.Secret || v.IsNull() || !v.IsWhollyKnown() {
				continue
			}
			b, err := ctyjson.Marshal(v, v.Type())
			if err != nil {
				return nil, fmt.Errorf("%s %q: %w", c.Kind.Name, c.Name, err)
			}
			k.AttrValues[a.Name] = b
		}
		out.Keys = append(out.Keys, k)
	}
	return out, nil
}
