package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/schema/kind"
)

// deliverFormats are what a delivered file may look like without a template.
func deliverFormats() []string { return []string{"env", "json", "rclone", "aws"} }

// A delivery is one deliver block.
type delivery struct {
	typ      string
	place    hcl.Range
	path     *hcl.Attribute
	format   *hcl.Attribute
	content  *hcl.Attribute
	settings refs // of path and format
	template refs // of content
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
		for _, d := range l.readDelivers(n.block) {
			l.deliver(n.block, d, sample, taken)
		}
	}
}

func (l *loader) readDelivers(b *block) []*delivery {
	var out []*delivery
	for _, raw := range b.delivers {
		d := &delivery{typ: raw.Labels[0], place: raw.DefRange}
		schema := &hcl.BodySchema{}
		switch d.typ {
		case "file":
			schema.Attributes = []hcl.AttributeSchema{{Name: "path", Required: true}, {Name: "format"}, {Name: "content"}}
		case "stdout":
		case "age", "command":
			l.errorAt(raw.LabelRanges[0], "Unsupported delivery", fmt.Sprintf("deliver %q is not part of this version of b2form. Use deliver \"file\".", d.typ))
			continue
		default:
			known := []string{"file", "stdout"}
			l.errorAt(raw.LabelRanges[0], "Unsupported delivery", fmt.Sprintf("There is no deliver %q; use \"file\" or \"stdout\".%s", d.typ, didYouMean(d.typ, known)))
			continue
		}
		content, diags := raw.Body.Content(schema)
		l.add(diags...)
		if diags.HasErrors() {
			continue
		}
		d.path, d.format, d.content = content.Attributes["path"], content.Attributes["format"], content.Attributes["content"]
		if d.format != nil && d.content != nil {
			l.errorAt(d.content.NameRange, "format and content at once", "A delivered file has either a format or a content of your own. Remove one of them.")
			continue
		}
		u := use{each: b.forEach != nil, count: b.count != nil}
		for _, a := range []*hcl.Attribute{d.path, d.format} {
			if a != nil {
				found := l.resolve(a.Expr.Variables(), u)
				d.settings.list = append(d.settings.list, found.list...)
				d.settings.dead = append(d.settings.dead, found.dead...)
			}
		}
		if d.content != nil {
			u.computed, u.self = true, b.kind
			d.template = l.resolve(d.content.Expr.Variables(), u)
		}
		out = append(out, d)
	}
	return out
}

// deliver adds one deliver block to each instance of its resource.
func (l *loader) deliver(b *block, d *delivery, sample *scope, taken map[string]hcl.Range) {
	settings := l.static.context(d.settings, l.root)
	template := sample.context(d.template, l.root)
	for i, r := range b.resources {
		e := &evaluation{l: l, b: b, addr: r.Addr, ctx: b.repeats[i].context(settings, d.settings.dead)}
		out := kind.Delivery{Type: d.typ, Shown: "standard output", Range: d.place}
		if d.typ == "file" && !e.destination(d, &out) {
			continue
		}
		at, destination := d.place, filepath.Clean(out.Path)
		if d.path != nil {
			at = d.path.Expr.Range()
		} else {
			destination = "stdout of " + r.Addr.String()
		}
		if first, has := taken[destination]; has {
			e.say(hcl.DiagError, at, "Duplicate destination", fmt.Sprintf("%s is a destination already at %s. Give each secret a place of its own.", out.Shown, first))
			continue
		}
		taken[destination] = at
		text := ""
		if d.content != nil {
			rep := b.repeats[i]
			out.Content = l.template(d, b.kind, rep)
			v, diags := render(d, rep.context(template, d.template.dead), selfSample(b.kind))
			l.add(diags...)
			v, marks := v.UnmarkDeep()
			e.collect(marks)
			if diags.HasErrors() || !v.IsKnown() {
				continue
			}
			text = v.AsString()
		}
		out.Digest = digest(out, text)
		r.Deliver = append(r.Deliver, out)
		delete(e.marks, refMark{r.Addr})
		if more := withMarked(r.Needs, e.marks); len(more) > len(r.Needs) {
			r.Needs, l.lateNeeds = more, true
		}
	}
}

// digest identifies a delivery; text is the rendered template.
func digest(d kind.Delivery, text string) string {
	b, _ := json.Marshal([]string{d.Type, d.Shown, d.Format, text}) // strings always encode
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// destination evaluates path and format.
func (e *evaluation) destination(d *delivery, out *kind.Delivery) bool {
	path, ok := e.text(d.path)
	if !ok {
		return false
	}
	why := ""
	switch {
	case path == "" || strings.HasSuffix(path, "/") || strings.ContainsRune(path, 0):
		why = "path needs the name of a file."
	case strings.HasPrefix(path, "~"):
		why = "path is taken as it is: ~ does not stand for a home folder. Write the whole path, or one relative to the configuration's folder."
	case strings.HasSuffix(path, ".b2.hcl") || strings.HasSuffix(path, ".b2vars.hcl"):
		why = "path names a file that b2form reads as configuration. Choose another name."
	}
	if why != "" {
		e.say(hcl.DiagError, d.path.Expr.Range(), "Invalid path", why)
		return false
	}
	out.Shown, out.Path = path, path
	if !filepath.IsAbs(path) {
		out.Path = filepath.Join(e.l.Dir, path)
	}
	if d.content == nil {
		out.Format = "env"
	}
	if d.format == nil {
		return true
	}
	if out.Format, ok = e.text(d.format); ok && !slices.Contains(deliverFormats(), out.Format) {
		e.say(hcl.DiagError, d.format.Expr.Range(), "Unknown format", fmt.Sprintf("There is no format %q; use %s.%s",
			out.Format, strings.Join(deliverFormats(), ", "), didYouMean(out.Format, deliverFormats())))
		return false
	}
	return ok
}

// text evaluates an argument that must be a known string.
func (e *evaluation) text(a *hcl.Attribute) (string, bool) {
	v, diags := a.Expr.Value(e.ctx)
	e.l.add(diags...)
	if diags.HasErrors() {
		return "", false
	}
	v, marks := v.UnmarkDeep()
	e.collect(marks)
	if !v.IsWhollyKnown() {
		e.l.notKnown(a.Expr.Range(), marks, e.suffix())
		return "", false
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() {
		e.say(hcl.DiagError, a.Expr.Range(), wrongType, a.Name+" needs a string.")
		return "", false
	}
	return s.AsString(), true
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
			s.report.errorAt(d.content.Expr.Range(), "Unknown content", fmt.Sprintf("The content of this %s's delivery uses something that is not known yet.", k.Name))
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
	e := d.content.Expr
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

// samples answers with made-up values of the right form, so that templates can
// be tried before there is anything to put into them.
func samples(kinds []*kind.Kind, blocks map[kind.Addr]*block) kind.Live {
	all := make(map[string]map[string]cty.Value, len(kinds))
	for _, k := range kinds {
		all[k.Name] = map[string]cty.Value{}
		for _, a := range k.ComputedAttrs() {
			all[k.Name][a.Name] = sampleOf(k, a)
		}
	}
	return func(a kind.Addr) (map[string]cty.Value, bool) { return all[a.Kind], blocks[a.Block()] != nil }
}

func selfSample(k *kind.Kind) map[string]cty.Value {
	out := map[string]cty.Value{}
	for _, name := range selfNames(k) {
		out[name] = sampleOf(k, k.Attr(name))
	}
	return out
}

// sampleOf follows the forms that the B2 documentation shows: key IDs of 25
// characters, secrets of 31, bucket IDs of 24.
func sampleOf(k *kind.Kind, a *kind.Attr) cty.Value {
	switch {
	case a.Account != nil:
		return a.Account(&kind.Account{ID: "000000000000", KeyID: "000000000000", Realm: "https://api.backblazeb2.com",
			S3URL: "https://s3.us-west-004.backblazeb2.com", DownloadURL: "https://f004.backblazeb2.com"})
	case len(a.Samples) > 0:
		return a.Samples[0]
	case a.Type == cty.Number:
		return cty.NumberIntVal(1)
	case a.Type == cty.Bool:
		return cty.False
	case a.Type == cty.Set(cty.String):
		return cty.SetVal([]cty.Value{cty.StringVal("s3")})
	case a.Type != cty.String:
		return cty.NullVal(a.ValueType())
	case a.Secret:
		return cty.StringVal("K004" + strings.Repeat("0", 27))
	case k.Delivers && a.Name == k.ID:
		return cty.StringVal("004" + strings.Repeat("0", 22))
	}
	return cty.StringVal(strings.Repeat("0", 24))
}
