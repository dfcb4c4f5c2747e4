package schema

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/internal/words"
	"b2form/schema/config"
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

	preconditions, postconditions []*condition
}

// A dataForm is what data blocks of one type may ask.
type dataForm struct {
	name           string     // the first label: bucket, buckets, account
	kind           *kind.Kind // nil: the account
	isList         bool
	listsChildren  bool // many: parts of one object
	syntax         *syntax.BlockSpec
	lookupArgNames []string // those that say what is meant
	valueType      cty.Type
}

// dataForms lists the types of data blocks: one object of a kind, all of them,
// and the account.
func (l *module) dataForms() []dataForm {
	var out []dataForm
	blocks := syntax.DataBlocks(l.Kinds)
	for i := range blocks {
		f := dataForm{name: blocks[i].FormLabel, syntax: &blocks[i], valueType: accountDataType()}
		for _, a := range f.syntax.Arguments {
			if a.Type == syntax.Text || a.Type == syntax.Bool || a.Type == syntax.Count && a.Name != "count" {
				f.lookupArgNames = append(f.lookupArgNames, a.Name)
			}
		}
		for _, k := range l.Kinds {
			switch f.name {
			case k.Name:
				f.kind, f.valueType = k, k.LiveType()
			case k.Plural:
				f.kind, f.isList, f.listsChildren = k, true, k.ScopeAttr() != ""
				holds := map[string]cty.Type{"names": cty.List(cty.String), k.Plural: cty.List(k.LiveType())}
				if f.listsChildren {
					holds[listingComplete], holds[listingFolders] = cty.Bool, cty.List(cty.String)
				}
				f.valueType = cty.Object(holds)
			}
		}
		out = append(out, f)
	}
	return out
}

func accountDataType() cty.Type {
	return cty.Object(map[string]cty.Type{
		"account_id": cty.String, "application_key_id": cty.String, "realm": cty.String,
		"s3_endpoint": cty.String, "s3_region": cty.String, "download_url": cty.String, "api_url": cty.String,
		"capabilities": cty.List(cty.String), "buckets": cty.List(cty.String), syntax.DataNamePrefix: cty.String,
		"absolute_minimum_part_size": cty.Number, "recommended_part_size": cty.Number,
	})
}

func (l *module) declareData(b *hcl.Block) {
	forms := l.dataForms()
	i := slices.IndexFunc(forms, func(f dataForm) bool { return f.name == b.Labels[0] })
	if i < 0 {
		l.errorAt(b.LabelRanges[0], "Unknown kind of data", l.unknownDataDetail(b.Labels[0], forms))
		return
	}
	if !l.checkValidName(b.Labels[1], b.LabelRanges[1]) {
		return
	}
	d := &dataBlock{form: forms[i], addr: "data." + b.Labels[0] + "." + b.Labels[1], place: b.DefRange, args: map[string]*hcl.Attribute{},
		value: cty.DynamicVal}
	d.node = &node{name: d.addr, place: b.DefRange, data: d}
	if first := l.data[d.addr]; first != nil {
		l.reportDuplicate(d.addr, b.DefRange, first.place)
		return
	}
	l.data[d.addr] = d
	l.nodes = append(l.nodes, d.node)
	l.shared.hasPendingData = l.shared.hasPendingData || l.Snapshot == nil
	content, _ := l.readContent(b, d.form.syntax)
	d.forEach, d.count = l.repetitionExprs(content.Attributes, "block")
	for name, a := range content.Attributes {
		if name != "for_each" && name != "count" {
			d.args[name] = a
		}
	}
	d.preconditions = l.readConditions(precondition, content.Blocks, d.form.syntax)
	d.postconditions = l.readConditions(postcondition, content.Blocks, d.form.syntax)
	switch {
	case d.forEach != nil && content.Attributes["count"] != nil: // reported
	case !d.form.isList && d.form.kind != nil && d.form.kind.ScopeAttr() == "" && len(d.args) != 1:
		d.node.notEvaluated = true
		if misspelt := func(it bodyItem) bool {
			return slices.Contains(d.form.lookupArgNames, findNameIfMisnamed(it.name, d.form.syntax))
		}; len(d.args) > 0 ||
			!slices.ContainsFunc(bodyItems(b.Body), misspelt) {
			l.errorAt(b.DefRange, "Incomplete data block",
				fmt.Sprintf("Say which %s is meant, by exactly one of %s.", d.form.name, strings.Join(d.form.lookupArgNames, " and ")))
		}
	}
	for _, a := range d.form.syntax.Arguments {
		d.node.notEvaluated = d.node.notEvaluated || a.Required && d.args[a.Name] == nil // reported
	}
}

func (l *module) unknownDataDetail(name string, forms []dataForm) string {
	var known []string
	for _, f := range forms {
		known = append(known, f.name)
	}
	if form := l.findFormForTerraformData(name, forms); form != "" {
		return fmt.Sprintf("Write data %q instead of data %q.", form, name)
	}
	if name == "b2_bucket_file_signed_url" {
		return "b2form makes no signed URLs, since they end after a while. Make one where it is used, for instance with `b2 file url " +
			"--with-auth`."
	}
	if name == "terraform_remote_state" {
		return "b2form reads no outputs of other folders. Name the bucket or key that is meant, by data \"bucket\" or data \"key\", or " +
			"take a value from a variable."
	}
	return fmt.Sprintf("There is no data %q; there are %s.%s", name, words.JoinAnd(known), words.DidYouMean(name, "", known))
}

// findFormForTerraformData is the type here of data of the official provider; "" where it
// has none of that type, or there is none here.
func (l *module) findFormForTerraformData(terraformType string, forms []dataForm) string {
	if terraformType == "b2_account_info" {
		return "account"
	}
	for _, k := range l.Kinds {
		if terraformType == k.Terraform.Type {
			return k.Name
		}
	}
	for _, f := range forms {
		if terraformType == "b2_bucket_"+f.name {
			return f.name
		}
	}
	return ""
}

func (l *module) resolveDataBlockReferences(n *node) {
	d := n.data
	var every []hcl.Traversal
	for _, name := range d.form.lookupArgNames {
		if a := d.args[name]; a != nil {
			every = append(every, a.Expr.Variables()...)
		}
	}
	u := allowedRefs{each: d.forEach != nil, count: d.count != nil}
	n.refs = l.resolveRepeated(d.forEach, d.count, append(every, references(d.preconditions)...), u)
	u.selfAttrNames = slices.Sorted(maps.Keys(d.form.valueType.AttributeTypes()))
	after := l.resolve(references(d.postconditions), u)
	n.refs.list = append(n.refs.list, after.list...)
	n.refs.invalidRoots = append(n.refs.invalidRoots, after.invalidRoots...)
}

// evaluateData answers one data block from what is live.
func (l *module) evaluateData(n *node) {
	d := n.data
	if n.notEvaluated {
		return
	}
	ctx := l.staticScope.context(n.refs, l.baseContext)
	repeats, marks, ok := l.expandRepetitions(d.forEach, d.count, ctx)
	if !ok {
		l.queryKindIfPending(d.form.kind)
		n.notEvaluated = true
		return
	}
	list := make([]cty.Value, len(repeats))
	byKey := make(map[string]cty.Value, len(repeats))
	for i, rep := range repeats {
		list[i] = l.evalCheckedDataInstance(n, rep, ctx).WithMarks(marks)
		if d.forEach != nil {
			byKey[rep.instanceKey.Value().AsString()] = list[i]
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

// queryAndAnswerDataInstance is the value of one instance; unknown where nothing was read yet, or
// where an error was reported.
func (l *module) queryAndAnswerDataInstance(d *dataBlock, ctx *hcl.EvalContext) cty.Value {
	unknown, k := unknownYetValue(d.form.valueType), d.form.kind
	args, ok := l.evalDataArguments(d, ctx)
	if !ok {
		l.queryKindIfPending(k)
		return unknown
	}
	q := l.dataQuery(d, args)
	l.config.DataQueries = append(l.config.DataQueries, q)
	switch {
	case l.Snapshot == nil:
		return unknown
	case k == nil:
		return accountDataValue(l.Snapshot.Account)
	case !l.Snapshot.WasReadAtAll(k) && l.withoutConfig:
		return unknown // nobody has asked for it yet
	case !l.Snapshot.WasReadAtAll(k):
		l.errorAt(d.place, "Live "+k.Plural+" cannot be read", fmt.Sprintf("The credentials in use lack the capability %s, which "+
			"reading %s needs. Use a key that has it.",
			strings.Join(k.ReadCapabilities, " or "), k.Plural))
		return unknown
	case d.form.listsChildren:
		return l.answerListing(d, q.Children)
	case d.form.isList:
		return l.answerAllObjects(d, args[syntax.DataNamePrefix])
	case q.Identity != "" && !l.Snapshot.CanTellIfExists(k, q.Identity):
		l.shared.hasPendingData = true
		return unknown
	}
	return l.answerSingleObject(d, args, q.Identity)
}

// dataQuery is what an instance asks for. What is part of another object is read by
// its identity, also where an ID says which is meant.
func (l *module) dataQuery(d *dataBlock, args map[string]string) config.DataQuery {
	k := d.form.kind
	if k == nil {
		return config.DataQuery{}
	}
	q := config.DataQuery{Kind: k, RemoteID: args[k.IDAttr], DataAddr: d.addr, Range: d.place}
	name, named := args[k.IdentityAttr]
	switch {
	case d.form.listsChildren:
		most, err := strconv.Atoi(args[syntax.MaxCount])
		if err != nil {
			most = syntax.DefaultCount
		}
		q.Children = kind.ChildListQuery{ParentIdentity: l.kinds[k.ParentKind()].NormalizeIdentity(args[k.ScopeAttr()]),
			Prefix: args[syntax.DataNamePrefix],
			Limit:  most, Delimiter: args[syntax.Delimiter], EarlierVersionsToo: args[syntax.Versions] == "true"}
	case k.ScopeAttr() != "":
		q.Identity = k.NormalizeIdentity(args[k.ScopeAttr()] + "/" + name)
	case named:
		q.Identity = k.NormalizeIdentity(name)
	case !d.form.isList && k.ParentKind() != "" && l.Snapshot != nil:
		q.Identity, _ = l.Snapshot.NameUnlessNamesRepeat(k.ParentKind(), args[k.IDAttr])
	}
	return q
}

// queryKindIfPending notes that objects of a kind may matter which nobody can name yet.
func (l *module) queryKindIfPending(k *kind.Kind) {
	if l.shared.hasPendingData {
		l.config.DataQueries = append(l.config.DataQueries, config.DataQuery{Kind: k})
	}
}

// evalDataArguments evaluates the arguments that are given, by name.
func (l *module) evalDataArguments(d *dataBlock, ctx *hcl.EvalContext) (args map[string]string, ok bool) {
	args, ok = map[string]string{}, true
	for _, name := range d.form.lookupArgNames {
		if a := d.args[name]; a != nil {
			text, known := l.evalDataArgument(d, name, a.Expr, ctx)
			args[name], ok = text, ok && known
		}
	}
	return args, ok
}

func (l *module) evalDataArgument(d *dataBlock, name string, e hcl.Expression, ctx *hcl.EvalContext) (text string, ok bool) {
	v, marks := l.staticScope.eval(e, ctx).UnmarkDeep()
	if marks.Has(kind.Sensitive) {
		l.errorAt(e.Range(), "Sensitive "+name, "What is looked up is shown in messages, so it cannot come from a sensitive value. Use "+
			"nonsensitive() where that is harmless.")
		return "", false
	}
	if k := d.form.kind; k != nil && k.FindAttr(name) != nil && !v.IsNull() {
		if to := l.kinds[k.FindAttr(name).Link.RefKind]; to != nil && v.Type().IsObjectType() && v.Type().HasAttribute(to.IdentityAttr) {
			v = v.GetAttr(to.IdentityAttr)
		}
	}
	if !v.IsWhollyKnown() {
		l.reportUnknownUnlessPending(l.report, e.Range(), marks)
		return "", false
	}
	if yes := false; d.form.syntax.FindArgument(name).Type == syntax.Bool {
		ok := l.storeStringOrBoolUnlessNull(name, e, v, &yes)
		return strconv.FormatBool(yes), ok
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() {
		l.errorAt(e.Range(), wrongType, name+" needs a string.")
		return "", false
	}
	if name == syntax.MaxCount {
		if n, err := strconv.Atoi(s.AsString()); err != nil || n < 1 || n > syntax.MostCount {
			l.errorAt(e.Range(), wrongType, fmt.Sprintf("%s needs a whole number from 1 to %d.", name, syntax.MostCount))
			return "", false
		}
	}
	return s.AsString(), true
}
