package view

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/internal/secret"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema/addr"
)

// An Output is the value of an output block.
type Output struct {
	Name      string
	Sensitive bool
	Value     cty.Value
	// MissingText says what stands for a part of the value that is not known:
	// "(delivered to app.env; not stored)". The part has its marks.
	MissingText func(cty.Value) string
	// ShowTypes tells lists, sets and tuples apart, and null of one type from that of another.
	ShowTypes bool
}

// Format keeps the value out of whatever prints the output by chance: it may
// hold a secret.
func (o Output) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "output %q", o.Name) }

// Text is the value as an HCL expression. reveal shows what is sensitive.
func (o Output) Text(reveal bool) string {
	if o.Sensitive && !reveal {
		return sensitive
	}
	return literalFormatter{unknownText: o.MissingText, showSensitive: reveal, withConversions: o.ShowTypes}.format(o.Value, 0)
}

// Outputs writes the closing section of an apply; nothing without outputs.
func (t TextUI) Outputs(outs []Output, reveal bool) {
	if len(outs) == 0 {
		return
	}
	fmt.Fprint(t.Out, "\n"+t.Style.paint("Outputs:", bold, green)+"\n\n"+OutputsText(outs, reveal))
}

// OutputsText is the outputs as HCL assignments.
func OutputsText(outs []Output, reveal bool) string {
	var b strings.Builder
	for _, o := range outs {
		b.WriteString(formatMapKey(o.Name) + " = " + o.Text(reveal) + "\n")
	}
	return b.String()
}

// Raw is the value without quotes, for scripts; an error where it is no single
// text or part of it is not known.
func (o Output) Raw() (string, error) {
	v, _ := o.Value.UnmarkDeep()
	switch {
	case !v.IsWhollyKnown():
		return "", fmt.Errorf("output %q is not available %s", o.Name, o.firstMissingText())
	case v.IsNull():
		return "", fmt.Errorf("output %q is null", o.Name)
	case !v.Type().IsPrimitiveType():
		return "", fmt.Errorf("output %q is %s, and -raw prints strings, numbers and booleans only: use -json", o.Name,
			words.WithArticle(v.Type().FriendlyName()))
	case v.Type() == cty.String:
		return v.AsString(), nil
	case v.Type() == cty.Number && hasTooManyDigits(v):
		return "", o.tooManyDigitsError()
	}
	return FormatHCLHidingSensitive(v), nil
}

func (o Output) tooManyDigitsError() error {
	return fmt.Errorf("output %q holds a number of more than %d digits", o.Name, mostDigits)
}

func (o Output) firstMissingText() (text string) {
	_ = cty.Walk(o.Value, func(_ cty.Path, e cty.Value) (bool, error) {
		if text == "" && !e.IsKnown() {
			text = o.MissingText(e)
		}
		return text == "", nil
	})
	return text
}

// An OutputValue is an output in Terraform's JSON shape.
type OutputValue struct {
	Sensitive bool            `json:"sensitive"`
	Type      json.RawMessage `json:"type"`
	Value     json.RawMessage `json:"value,omitempty"`
}

// JSON brings the output into its JSON shape. What is not known is null.
func (o Output) JSON() (OutputValue, error) {
	v, _ := o.Value.UnmarkDeep()
	v, err := cty.Transform(v, func(_ cty.Path, e cty.Value) (cty.Value, error) {
		if !e.IsKnown() {
			return cty.NullVal(e.Type()), nil
		}
		if e.Type() == cty.Number && !e.IsNull() && hasTooManyDigits(e) {
			return e, o.tooManyDigitsError()
		}
		return e, nil
	})
	if err != nil {
		return OutputValue{}, fmt.Errorf("output %q: %w", o.Name, err)
	}
	value, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return OutputValue{}, fmt.Errorf("output %q: %w", o.Name, err)
	}
	t, err := ctyjson.MarshalType(v.Type())
	if err != nil {
		return OutputValue{}, fmt.Errorf("output %q: %w", o.Name, err)
	}
	return OutputValue{Sensitive: o.Sensitive || holdsSensitive(o.Value), Type: t, Value: value}, nil
}

// A NewKey is a new application key: where it went, and what of it may be shown.
type NewKey struct {
	Addr        addr.Addr
	KeyID       string
	Key         secret.Value // zero: not to be shown
	DeliveredTo []string     // where it went, in words
}

// ShowSecret shows a new key, once. It fails where the secret cannot be written.
func (t TextUI) ShowSecret(made NewKey) error {
	head := t.wrapPainted("Secret of "+made.Addr.String()+", shown this once and not kept by b2form:", t.Style.Width, bold, yellow)
	_, err := fmt.Fprintf(t.Out, "\n%s\n\n  application_key_id = %s\n  application_key    = %s\n\n", head, quoteHCL(made.KeyID),
		quoteHCL(made.Key.Reveal()))
	return err
}

// Deliveries says where new keys went.
func (t TextUI) Deliveries(made []NewKey) {
	var delivered strings.Builder
	for _, s := range made {
		for _, to := range s.DeliveredTo {
			delivered.WriteString(Wrap(fmt.Sprintf("%s → %s", s.Addr, visible.EscapeLine(to)), t.Style.Width) + "\n")
		}
	}
	if delivered.Len() > 0 {
		fmt.Fprint(t.Out, "\n"+t.Style.paint("Secrets delivered:", bold, green)+"\n\n"+delivered.String())
	}
}
