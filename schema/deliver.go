package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/internal/agefile"
	"b2form/schema/kind"
)

// deliverFormats are what a delivered file may look like without a template.
func deliverFormats() []string { return []string{"env", "json", "rclone", "aws"} }

// A form is what a deliver block of one type holds.
type form struct {
	typ      string
	required []string
	optional []string
}

func forms() []form {
	return []form{
		{"age", []string{"path", "recipients"}, []string{"format", "content"}},
		{"file", []string{"path"}, []string{"format", "content"}},
		{"stdout", nil, []string{"format", "content"}},
	}
}

func formOf(typ string) (form, bool) {
	i := slices.IndexFunc(forms(), func(f form) bool { return f.typ == typ })
	if i < 0 {
		return form{}, false
	}
	return forms()[i], true
}

func (f form) schema() *hcl.BodySchema {
	s := &hcl.BodySchema{}
	for _, name := range f.required {
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: name, Required: true})
	}
	for _, name := range f.optional {
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: name})
	}
	return s
}

// withSecret are the arguments that may use the new key.
func withSecret() []string { return []string{"content"} }

// A delivery is one deliver block.
type delivery struct {
	typ      string
	place    hcl.Range
	args     map[string]*hcl.Attribute
	settings refs // of what is known before the key is made
	template refs // of what may use it
}

// deliverAll evaluates the deliver blocks. They come after all resources,
// since they may use computed attributes of any of them.
func (l *loader) deliverAll() {
	sample := newScope(l, l.report, samples(l.Kinds, l.blocks))
	taken := map[string]hcl.Range{}
	for _, n := range l.nodes {
		if n.block == nil || len(n.block.delivers) == 0 {
			continue
		}
		for _, raw := range n.block.delivers {
			if d := l.readDeliver(n.block, raw); d != nil {
				l.deliver(n.block, d, sample, taken)
			}
		}
	}
}

// readDeliver reads one block; nil where it is of no use.
func (l *loader) readDeliver(b *block, raw *hcl.Block) *delivery {
	d := &delivery{typ: raw.Labels[0], place: raw.DefRange}
	f, ok := formOf(d.typ)
	if !ok {
		var known []string
		for _, f := range forms() {
			known = append(known, f.typ)
		}
		l.errorAt(raw.LabelRanges[0], "Unsupported delivery", fmt.Sprintf("There is no deliver %q; there are %s.%s", d.typ, listed(known), didYouMean(d.typ, known)))
		return nil
	}
	content, diags := raw.Body.Content(f.schema())
	l.add(diags...)
	if diags.HasErrors() {
		return nil
	}
	d.args = content.Attributes
	if d.args["format"] != nil && d.args["content"] != nil {
		l.errorAt(d.args["content"].NameRange, "format and content at once", "What is delivered has either a format or a content of your own. Remove one of them.")
		return nil
	}
	for _, name := range slices.Concat(f.required, f.optional) {
		a := d.args[name]
		if a == nil {
			continue
		}
		u, into := use{each: b.forEach != nil, count: b.count != nil}, &d.settings
		if slices.Contains(withSecret(), name) {
			u.computed, u.self, into = true, b.kind, &d.template
		}
		found := l.resolve(a.Expr.Variables(), u)
		into.list = append(into.list, found.list...)
		into.dead = append(into.dead, found.dead...)
	}
	return d
}

// deliver adds one deliver block to each instance of its resource.
func (l *loader) deliver(b *block, d *delivery, sample *scope, taken map[string]hcl.Range) {
	settings := l.static.context(d.settings, l.root)
	template := sample.context(d.template, l.root)
	for i, r := range b.resources {
		rep := b.repeats[i]
		e := &evaluation{l: l, b: b, addr: r.Addr, ctx: rep.context(settings, d.settings.dead)}
		out := kind.Delivery{Type: d.typ, Range: d.place}
		if !e.destination(d, &out) || !e.untaken(d, &out, taken) {
			continue
		}
		text, ok := e.tried(d, &out, rep.context(template, d.template.dead))
		if !ok {
			continue
		}
		if d.args["content"] != nil {
			out.Content = l.template(d, b.kind, rep)
		}
		out.Digest = digest(out, text)
		r.Deliver = append(r.Deliver, out)
		delete(e.marks, refMark{r.Addr})
		if more := withMarked(r.Needs, e.marks); len(more) > len(r.Needs) {
			r.Needs, l.lateNeeds = more, true
		}
	}
}

// untaken reports a destination that another delivery overwrites.
func (e *evaluation) untaken(d *delivery, out *kind.Delivery, taken map[string]hcl.Range) bool {
	at, destination := d.place, "stdout of "+e.addr.String()
	if out.Path != "" {
		at, destination = d.args["path"].Expr.Range(), filepath.Clean(out.Path)
	}
	if first, has := taken[destination]; has {
		e.say(hcl.DiagError, at, "Duplicate destination", fmt.Sprintf("%s is a destination already at %s. Give each secret a place of its own.", out.Shown, first))
		return false
	}
	taken[destination] = at
	return true
}

// tried renders the template with made-up values, so that its errors show now.
func (e *evaluation) tried(d *delivery, out *kind.Delivery, parent *hcl.EvalContext) (text string, ok bool) {
	if d.args["content"] == nil {
		return "", true
	}
	v, diags := render(d, parent, selfSample(e.b.kind))
	e.l.add(diags...)
	v, marks := v.UnmarkDeep()
	e.collect(marks)
	if diags.HasErrors() || !v.IsKnown() {
		return "", false
	}
	if marks.Has(kind.Sensitive) {
		// What the state records must not let anybody guess a sensitive value.
		at := d.args["content"].Expr.Range()
		return "sensitive: " + string(at.SliceBytes(e.l.config.Files[at.Filename].Bytes)), true
	}
	return v.AsString(), true
}

// digest identifies a delivery; text is the rendered template.
func digest(d kind.Delivery, text string) string {
	parts := []string{d.Type, d.Shown, d.Format, text}
	if d.Type == "age" {
		readers := make([]string, len(d.Recipients))
		for i, r := range d.Recipients {
			readers[i] = agefile.Canonical(r)
		}
		slices.Sort(readers)
		parts = append(parts, slices.Compact(readers)...)
	}
	b, _ := json.Marshal(parts) // strings always encode
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// template is the Content of a delivery: the user's own text with the secret
// in it.
func (l *loader) template(d *delivery, k *kind.Kind, rep repetition) func(map[string]cty.Value, kind.Live) (string, hcl.Diagnostics) {
	return func(self map[string]cty.Value, live kind.Live) (string, hcl.Diagnostics) {
		s := newScope(l, newReport(), live)
		v, diags := render(d, rep.context(s.context(d.template, l.root), d.template.dead), self)
		discreet(diags)
		s.report.add(diags...)
		if s.report.failed {
			return "", s.report.sorted()
		}
		v, _ = v.UnmarkDeep()
		if !v.IsKnown() {
			s.report.errorAt(d.args["content"].Expr.Range(), "Unknown content", fmt.Sprintf("The content of this %s's delivery uses something that is not known yet.", k.Name))
			return "", s.report.sorted()
		}
		return v.AsString(), s.report.sorted()
	}
}

// render evaluates the content to a string that may be unknown or marked.
func render(d *delivery, parent *hcl.EvalContext, self map[string]cty.Value) (cty.Value, hcl.Diagnostics) {
	ctx := parent
	if !slices.Contains(d.template.dead, "self") {
		ctx = parent.NewChild()
		ctx.Variables = map[string]cty.Value{"self": cty.ObjectVal(self)}
	}
	e := d.args["content"].Expr
	v, diags := e.Value(ctx)
	if diags.HasErrors() {
		return cty.UnknownVal(cty.String), diags
	}
	out, err := convert.Convert(v, cty.String)
	if err == nil && !out.IsNull() {
		return out, diags
	}
	return cty.UnknownVal(cty.String), append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: wrongType,
		Detail: "content needs a string. Use jsonencode() or a template for structures.", Subject: e.Range().Ptr()})
}
