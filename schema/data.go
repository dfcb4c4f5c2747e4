package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// A dataBlock is one data block: something live that is not managed here.
type dataBlock struct {
	node  *node
	form  dataForm
	addr  string // data.bucket.photos
	place hcl.Range

	forEach, count hcl.Expression // at most one is set
	args           map[string]*hcl.Attribute
	value          cty.Value
}

// A dataForm is what data blocks of one type may ask.
type dataForm struct {
	name  string     // the first label: bucket, buckets, account
	kind  *kind.Kind // nil: the account
	many  bool
	block *syntax.Block
	args  []string // those that say what is meant
	value cty.Type
}

// dataForms lists the types of data blocks: one object of a kind, all of them,
// and the account.
func (l *loader) dataForms() []dataForm {
	var out []dataForm
	blocks := syntax.Data(l.Kinds)
	for i := range blocks {
		f := dataForm{name: blocks[i].Form, block: &blocks[i], value: accountType()}
		for _, a := range f.block.Arguments {
			if a.Type == syntax.Text {
				f.args = append(f.args, a.Name)
			}
		}
		for _, k := range l.Kinds {
			switch f.name {
			case k.Name:
				f.kind, f.value = k, k.LiveType()
			case k.Plural:
				f.kind, f.many = k, true
				f.value = cty.Object(map[string]cty.Type{"names": cty.List(cty.String), k.Plural: cty.List(k.LiveType())})
			}
		}
		out = append(out, f)
	}
	return out
}

func accountType() cty.Type {
	return cty.Object(map[string]cty.Type{
		"account_id": cty.String, "application_key_id": cty.String, "realm": cty.String,
		"s3_endpoint": cty.String, "s3_region": cty.String, "download_url": cty.String,
		"capabilities": cty.List(cty.String), "buckets": cty.List(cty.String), syntax.NamePrefix: cty.String,
	})
}

func (l *loader) declareData(b *hcl.Block) {
	forms := l.dataForms()
	i := slices.IndexFunc(forms, func(f dataForm) bool { return f.name == b.Labels[0] })
	if i < 0 {
		l.errorAt(b.LabelRanges[0], "Unknown kind of data", l.unknownData(b.Labels[0], forms))
		return
	}
	if !l.validName(b.Labels[1], b.LabelRanges[1]) {
		return
	}
	d := &dataBlock{form: forms[i], addr: "data." + b.Labels[0] + "." + b.Labels[1], place: b.DefRange, args: map[string]*hcl.Attribute{}, value: cty.DynamicVal}
	d.node = &node{name: d.addr, place: b.DefRange, data: d}
	if first := l.data[d.addr]; first != nil {
		l.duplicate(d.addr, b.DefRange, first.place)
		return
	}
	l.data[d.addr] = d
	l.nodes = append(l.nodes, d.node)
	l.shared.pending = l.shared.pending || l.Snapshot == nil
	content, _ := l.contentOf(b, d.form.block)
	for name, a := range content.Attributes {
		switch name {
		case "for_each":
			d.forEach = a.Expr
		case "count":
			d.count = a.Expr
		default:
			d.args[name] = a
		}
	}
	switch {
	case d.forEach != nil && d.count != nil:
		l.errorAt(content.Attributes["count"].NameRange, "for_each and count at once", "A block is repeated by for_each or by count. Remove one of them.")
		d.count = nil
	case !d.form.many && d.form.kind != nil && len(d.args) != 1:
		l.errorAt(b.DefRange, "Incomplete data block", fmt.Sprintf("Say which %s is meant, by exactly one of %s.", d.form.name, strings.Join(d.form.args, " and ")))
		d.node.broken = true
	}
}

func (l *loader) unknownData(name string, forms []dataForm) string {
	var known []string
	for _, f := range forms {
		known = append(known, f.name)
	}
	for _, k := range l.Kinds {
		if name == k.Provider {
			return fmt.Sprintf("Write data %q instead of data %q.", k.Name, name)
		}
	}
	if name == "b2_account_info" {
		return "Write data \"account\" instead of data \"b2_account_info\"."
	}
	return fmt.Sprintf("There is no data %q; there are %s.%s", name, listed(known), didYouMean(name, known))
}

func (l *loader) linkData(n *node) {
	d := n.data
	var once, every []hcl.Traversal
	for _, e := range []hcl.Expression{d.forEach, d.count} {
		if e != nil {
			once = append(once, e.Variables()...)
		}
	}
	for _, name := range d.form.args {
		if a := d.args[name]; a != nil {
			every = append(every, a.Expr.Variables()...)
		}
	}
	outer := l.resolve(once, use{})
	n.refs = l.resolve(every, use{each: d.forEach != nil, count: d.count != nil})
	n.refs.list = append(n.refs.list, outer.list...)
	n.refs.dead = append(n.refs.dead, outer.dead...)
}

// evaluateData answers one data block from what is live.
func (l *loader) evaluateData(n *node) {
	d := n.data
	if n.broken {
		return
	}
	ctx := l.static.context(n.refs, l.root)
	repeats, marks, ok := l.repetitions(d.forEach, d.count, ctx)
	if !ok {
		l.undecided(d.form.kind)
		n.broken = true
		return
	}
	list := make([]cty.Value, len(repeats))
	byKey := make(map[string]cty.Value, len(repeats))
	for i, rep := range repeats {
		list[i] = l.answer(d, rep.context(ctx, n.refs.dead)).WithMarks(marks)
		if d.forEach != nil {
			byKey[rep.at.Value().AsString()] = list[i]
		}
	}
	switch {
	case d.forEach != nil:
		d.value = cty.ObjectVal(byKey)
	case d.count != nil:
		d.value = cty.TupleVal(list)
	default:
		d.value = list[0]
	}
}

// answer is the value of one instance; unknown where nothing was read yet, or
// where an error was reported.
func (l *loader) answer(d *dataBlock, ctx *hcl.EvalContext) cty.Value {
	unknown := cty.UnknownVal(d.form.value)
	by, arg, ok := l.dataArgument(d, ctx)
	if !ok {
		l.undecided(d.form.kind)
		return unknown
	}
	q := kind.Query{}
	if k := d.form.kind; k != nil {
		q.Kind = k
		if by == k.Identity {
			q.Identity = k.Fold(arg)
		}
	}
	l.config.Data = append(l.config.Data, q)
	switch {
	case l.Snapshot == nil:
		return unknown
	case d.form.kind == nil:
		return accountValue(l.Snapshot.Account)
	case !l.Snapshot.WasRead(d.form.kind):
		l.errorAt(d.place, "Live "+d.form.kind.Plural+" cannot be read", fmt.Sprintf("The credentials in use lack the capability %s, which reading %s needs. Use a key that has it.",
			strings.Join(d.form.kind.Reads, " or "), d.form.kind.Plural))
		return unknown
	case d.form.many:
		return l.all(d, arg)
	}
	return l.one(d, by, arg)
}

// undecided notes that objects of a kind may matter which nobody can name yet.
func (l *loader) undecided(k *kind.Kind) {
	if l.shared.pending {
		l.config.Data = append(l.config.Data, kind.Query{Kind: k})
	}
}

// dataArgument evaluates the one argument that is given: its name and value.
func (l *loader) dataArgument(d *dataBlock, ctx *hcl.EvalContext) (name, value string, ok bool) {
	for _, name := range d.form.args {
		a := d.args[name]
		if a == nil {
			continue
		}
		v, marks := l.static.eval(a.Expr, ctx).UnmarkDeep()
		if marks.Has(kind.Sensitive) {
			l.errorAt(a.Expr.Range(), "Sensitive "+name, "What is looked up is shown in messages, so it cannot come from a sensitive value. Use nonsensitive() where that is harmless.")
			return name, "", false
		}
		if !v.IsWhollyKnown() {
			l.notKnown(a.Expr.Range(), marks, "")
			return name, "", false
		}
		s, err := convert.Convert(v, cty.String)
		if err != nil || s.IsNull() {
			l.errorAt(a.Expr.Range(), wrongType, name+" needs a string.")
			return name, "", false
		}
		return name, s.AsString(), true
	}
	return "", "", true
}

func (l *loader) one(d *dataBlock, by, arg string) cty.Value {
	k := d.form.kind
	at := d.args[by].Expr.Range()
	var found []*kind.Object
	if by == k.Identity {
		found = l.Snapshot.ByIdentity(k, k.Fold(arg))
	} else if o := l.Snapshot.ByID(k, arg); o != nil {
		found = append(found, o)
	}
	switch len(found) {
	case 1:
		return l.objectOf(d, found[0])
	case 0:
		l.errorAt(at, "No such "+k.Name, fmt.Sprintf("These credentials see no %s with the %s %q. Correct it, or declare the %s as a block of its own: data blocks read only what exists before the run.", k.Name, by, arg, k.Name))
	default:
		var ids []string
		for _, o := range found {
			ids = append(ids, o.ID)
		}
		l.errorAt(at, "Several "+k.Plural, fmt.Sprintf("There are %d %s named %q: %s. Choose one by %s.", len(found), k.Plural, arg, listed(ids), k.ID))
	}
	return cty.UnknownVal(d.form.value)
}

// all lists what is live, by name and then by ID.
func (l *loader) all(d *dataBlock, prefix string) cty.Value {
	k := d.form.kind
	objects := slices.DeleteFunc(slices.Clone(l.Snapshot.All(k)), func(o *kind.Object) bool { return !strings.HasPrefix(o.Identity, k.Fold(prefix)) })
	slices.SortStableFunc(objects, func(a, b *kind.Object) int { return strings.Compare(a.Identity, b.Identity) })
	names, list := cty.ListValEmpty(cty.String), cty.ListValEmpty(k.LiveType())
	if len(objects) > 0 {
		ns, vs := make([]cty.Value, len(objects)), make([]cty.Value, len(objects))
		for i, o := range objects {
			ns[i], vs[i] = cty.StringVal(o.Identity), l.objectOf(d, o)
		}
		names, list = cty.ListVal(ns), cty.ListVal(vs)
	}
	return cty.ObjectVal(map[string]cty.Value{"names": names, k.Plural: list})
}

// A hiddenMark marks what B2 does not show to the credentials in use.
type hiddenMark struct{ attr, capability string }

// objectOf is a live object as an expression sees it: secrets are null.
func (l *loader) objectOf(d *dataBlock, o *kind.Object) cty.Value {
	v, err := o.Value()
	if err != nil {
		l.errorAt(d.place, "B2's answer cannot be read", sentence(err.Error())+" Either B2 has changed, or this is a defect of b2form: please report it with this text.")
		return cty.UnknownVal(o.Kind.LiveType())
	}
	attrs := v.AsValueMap()
	for i := range o.Kind.Attrs {
		a := &o.Kind.Attrs[i]
		switch v := attrs[a.Name]; {
		case a.Secret:
			attrs[a.Name] = cty.NullVal(a.ValueType())
		case !v.IsWhollyKnown():
			attrs[a.Name] = cty.UnknownVal(a.ValueType()).Mark(hiddenMark{d.addr + "." + a.Name, a.Guard})
		default:
			attrs[a.Name] = typed(v, a.ValueType())
		}
	}
	return cty.ObjectVal(attrs)
}

func accountValue(a *kind.Account) cty.Value {
	text := func(s string) cty.Value {
		if s == "" {
			return cty.NullVal(cty.String)
		}
		return cty.StringVal(s)
	}
	texts := func(ss []string) cty.Value {
		if len(ss) == 0 {
			return cty.ListValEmpty(cty.String)
		}
		slices.Sort(ss)
		out := make([]cty.Value, len(ss))
		for i, s := range ss {
			out[i] = cty.StringVal(s)
		}
		return cty.ListVal(out)
	}
	buckets := cty.NullVal(cty.List(cty.String))
	if a.Buckets != nil {
		var names []string
		for _, b := range a.Buckets {
			names = append(names, b.Name)
		}
		buckets = texts(names)
	}
	return cty.ObjectVal(map[string]cty.Value{
		"account_id": text(a.ID), "application_key_id": text(a.KeyID), "realm": text(a.Realm),
		"s3_endpoint": text(a.S3URL), "s3_region": text(a.S3Region()), "download_url": text(a.DownloadURL),
		"capabilities": texts(slices.Clone(a.Capabilities)), "buckets": buckets, syntax.NamePrefix: text(a.NamePrefix),
	})
}
