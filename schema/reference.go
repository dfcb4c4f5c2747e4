package schema

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/kind"
)

// A node is what expressions refer to: a variable, a local value, the resources
// of one block, a module, or data; or the links of a block, to which nothing refers.
// Exactly one of variable, expr, block, call, data and deferredLinksOf is set.
type node struct {
	name  string // as it is referred to: var.site, local.names, bucket.photos
	place hcl.Range

	variable        *variable
	localExpr       hcl.Expression // of a local value
	block           *block
	call            *moduleCall
	data            *dataBlock
	deferredLinksOf *block // whose attributes that are set last it evaluates

	refs           refs
	dependsOnNodes []*node // what depends_on adds
	notEvaluated   bool    // part of a loop, or not evaluated: its value is unknown
	visitState     visitState
}

// refs are the references of some expressions.
type refs struct {
	list         []ref
	invalidRoots []string // roots that nothing answers; an error was reported
}

// A ref is one reference.
type ref struct {
	root, name     string // bucket, photos
	node           *node  // nil where nothing has the name
	isInvalid      bool   // an error was reported: its value is unknown here
	instanceKey    addr.InstanceKey
	hasConstantKey bool // written with a constant instance key
}

// allowedRefs says what may stand in an expression.
type allowedRefs struct {
	each, count   bool     // inside a block that is repeated so
	computed      bool     // computed attributes of resources
	selfAttrNames []string // inside deliver and postcondition: what self holds
}

// resolve finds what the traversals refer to and reports those that cannot be
// answered.
func (l *module) resolve(ts []hcl.Traversal, u allowedRefs) refs {
	var out refs
	for _, t := range ts {
		switch root := t.RootName(); root {
		case "each", "count", "self", "path":
			if !l.checkContextualName(t, u) {
				out.invalidRoots = append(out.invalidRoots, root)
			}
		default:
			if root != "var" && root != "local" && root != "module" && root != "data" && l.kinds[root] == nil {
				l.reportUnknownRoot(t, u)
				out.invalidRoots = append(out.invalidRoots, root)
				continue
			}
			if len(t) < 2 || addr.RootOrAttrName(t[1]) == "" {
				l.errorAt(t.SourceRange(), "Invalid reference", fmt.Sprintf("%q alone is no value; write %s.NAME.", root, root))
				out.invalidRoots = append(out.invalidRoots, root)
				continue
			}
			out.list = append(out.list, l.resolveRef(t, u))
		}
	}
	return out
}

// checkContextualName judges the names that exist only in some places.
func (l *module) checkContextualName(t hcl.Traversal, u allowedRefs) (ok bool) {
	root := t.RootName()
	members := map[string][]string{"each": {"key", "value"}, "count": {"index"}, "path": {"module", "root", "cwd"}}[root]
	why := ""
	switch {
	case root == "each" && !u.each:
		why = "each.key and each.value exist only inside a block with for_each."
	case root == "count" && !u.count:
		why = "count.index exists only inside a block with count."
	case root == "self" && u.selfAttrNames == nil:
		why = "self exists only in a postcondition, and in the content and the environment of a deliver block."
	case root == "self":
		members = u.selfAttrNames
	}
	if why == "" && (len(t) < 2 || !slices.Contains(members, addr.RootOrAttrName(t[1]))) {
		why = fmt.Sprintf("%s holds %s.", root, words.JoinAnd(members))
		if len(t) > 1 {
			why += words.DidYouMean(addr.RootOrAttrName(t[1]), "", members)
		}
	}
	if why == "" {
		return true
	}
	l.errorAt(t.SourceRange(), "Invalid reference", why)
	return false
}

// deliverSelfAttrNames are the two halves of the credentials a kind yields.
func deliverSelfAttrNames(k *kind.Kind) []string {
	names := []string{k.IDAttr}
	for _, a := range k.ComputedAttrs() {
		if a.Secret {
			names = append(names, a.Name)
		}
	}
	return names
}

func (l *module) reportUnknownRoot(t hcl.Traversal, u allowedRefs) {
	root := t.RootName()
	function, isFunction := l.baseContext.Functions[root]
	roots := append(slices.Collect(maps.Keys(l.kinds)), "var", "local", "module", "data", "each", "count", "path", "self")
	why := l.terraformReferenceAdvice(t, u)
	switch {
	case why != "":
	case l.hidesTextIn(t.SourceRange()):
		why = "Nothing is named so; the name is left out, since it may be a secret. If a text is meant, put it into quotes."
	case root == "terraform":
		why = "b2form has no workspaces; use a variable instead."
	case len(t) == 1 && isFunction && len(function.Params()) == 0 && function.VarParam() == nil:
		why = fmt.Sprintf("%s is a function: write %[1]s() for its value.", root)
	case len(t) == 1 && isFunction:
		why = fmt.Sprintf("%s is a function: write %[1]s(…) for its value, with its arguments in the parentheses.", root)
	case len(t) == 1 && slices.Contains([]string{"yes", "on", "no", "off"}, strings.ToLower(root)):
		why = fmt.Sprintf("Nothing is named %s. Write true or false; if a text is meant, put it into quotes: %q.", root, root)
	case len(t) == 1 && words.FindSimilar(root, roots) == "":
		why = fmt.Sprintf("Nothing is named %s. If a text is meant, put it into quotes: %q.", root, root)
	default:
		why = fmt.Sprintf("Nothing is named %s. References begin with var, local, path or a kind of resource, such as bucket.photos.%s",
			root, words.DidYouMean(root, "", roots))
	}
	l.errorAt(t.SourceRange(), "Invalid reference", why)
}

// resolveRef finds a variable, local value or resource.
func (l *module) resolveRef(t hcl.Traversal, u allowedRefs) ref {
	r := ref{root: t.RootName(), name: addr.RootOrAttrName(t[1])}
	switch r.root {
	case "var":
		if v := l.variables[r.name]; v != nil {
			r.node = v.node
		} else {
			l.reportUndeclared(t, "variable", maps.Keys(l.variables), declareOrCorrect)
		}
	case "local":
		if r.node = l.locals[r.name]; r.node == nil {
			l.reportUndeclared(t, "local value", maps.Keys(l.locals), declareOrCorrect)
		}
	case "data":
		r.node, r.name = l.resolveDataRef(t, &r)
	case "module":
		if c := l.calls[r.name]; c != nil {
			r.node = c.node
			r.instanceKey, r.hasConstantKey, r.isInvalid = l.resolveModuleOutputRef(c, t)
		} else {
			l.reportUndeclared(t, "module", maps.Keys(l.calls), declareOrCorrect)
		}
	default:
		if b := l.blocks[blockName{r.root, r.name}]; b != nil {
			r.node = b.node
			r.instanceKey, r.hasConstantKey, r.isInvalid = l.resolveResourceRef(b, t, u)
		} else {
			l.reportUndeclared(t, r.root, l.labelsOfKind(r.root), declareOrCorrect)
		}
	}
	r.isInvalid = r.isInvalid || r.node == nil
	return r
}

func (l *module) labelsOfKind(kindName string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range l.blocks {
			if name.kind == kindName && !yield(name.label) {
				return
			}
		}
	}
}

const declareOrCorrect = "Declare it, or correct the name."

// reportUndeclared says that nothing has the name, and what to do: advice, unless one of names is so near that it must be meant.
func (l *module) reportUndeclared(t hcl.Traversal, what string, names iter.Seq[string], advice string) {
	detail := fmt.Sprintf("No %s is named %q.", what, addr.RootOrAttrName(t[1]))
	s := ""
	if len(l.diags) < 100 { // beyond that suggestions cost more than they help
		s = words.FindSimilar(addr.RootOrAttrName(t[1]), slices.Collect(names))
	}
	if s != "" {
		detail += fmt.Sprintf(" Did you mean %s.%s?", t.RootName(), s)
	} else {
		detail += " " + advice
	}
	l.errorAt(t.SourceRange(), "Undeclared reference", detail)
}

// resolveResourceRef judges what follows bucket.photos in a reference: an instance
// key exactly where the block is repeated, then an attribute that exists.
func (l *module) resolveResourceRef(b *block, t hcl.Traversal, u allowedRefs) (at addr.InstanceKey, hasConstantKey, broken bool) {
	at, hasConstantKey, rest, ok := l.resolveInstanceKey(t, 2, b.forEach != nil, b.count != nil)
	if !ok || len(rest) == 0 || addr.RootOrAttrName(rest[0]) == "" {
		return at, hasConstantKey, !ok
	}
	name := addr.RootOrAttrName(rest[0])
	a := b.kind.FindAttr(name)
	switch {
	case a == nil:
		l.errorAt(t.SourceRange(), "Unknown attribute", unknownAttributeDetail(b.kind, name))
		return at, hasConstantKey, true
	case b.kind.Content != nil && name == b.kind.Content.TextAttr:
		l.errorAt(t.SourceRange(), "Content cannot be referred to", fmt.Sprintf("What a %s holds is not kept beside it. Give the text a "+
			"name in locals, and use that in both places.", b.kind.Name))
		return at, hasConstantKey, true
	case a.IsDeferredLink() && !u.computed:
		l.errorAt(t.SourceRange(), deferredSummary, deferredDetail(traversalText(t[:len(t)-len(rest)+1])))
		return at, hasConstantKey, true
	case a.Computed && !u.computed:
		l.errorAt(t.SourceRange(), computedSummary, computedDetail(traversalText(t[:len(t)-len(rest)+1])))
		return at, hasConstantKey, true
	}
	return at, hasConstantKey, false
}

// resolveModuleOutputRef is the same for what follows module.site.
func (l *module) resolveModuleOutputRef(c *moduleCall, t hcl.Traversal) (at addr.InstanceKey, hasConstantKey, broken bool) {
	at, hasConstantKey, rest, ok := l.resolveInstanceKey(t, 2, c.forEach != nil, c.count != nil)
	if !ok || len(rest) == 0 || addr.RootOrAttrName(rest[0]) == "" || c.folder == nil {
		return at, hasConstantKey, !ok
	}
	if name := addr.RootOrAttrName(rest[0]); !slices.Contains(c.folder.outputNames, name) {
		l.errorAt(t.SourceRange(), "Unknown output",
			fmt.Sprintf("The module in %s has no output %q.%s", c.folder.dir, name, words.DidYouMean(name, "", c.folder.outputNames)))
		return at, hasConstantKey, true
	}
	return at, hasConstantKey, false
}

// resolveDataRef finds a data block. Its references have one step more than others.
func (l *module) resolveDataRef(t hcl.Traversal, r *ref) (n *node, typeAndName string) {
	if len(t) < 3 || addr.RootOrAttrName(t[2]) == "" {
		l.errorAt(t.SourceRange(), "Invalid reference", "Data is referred to as data.TYPE.NAME, as data.bucket.photos.")
		return nil, ""
	}
	typeAndName = addr.RootOrAttrName(t[1]) + "." + addr.RootOrAttrName(t[2])
	d := l.data["data."+typeAndName]
	if d == nil {
		form, name := addr.RootOrAttrName(t[1]), addr.RootOrAttrName(t[2])
		why := fmt.Sprintf("Declare it in a data %q %q block, or correct the name.", form, name)
		if name == wholeAccountDataName(l.Kinds, form) {
			why = fmt.Sprintf("Declare it: data %q %q {}. Without that it is there only in a folder without configuration.", form, name)
		}
		if own := l.findFormForTerraformData(form, l.dataForms()); own != "" {
			why = fmt.Sprintf("Write data.%s.%s.", own, name)
		}
		if s := words.FindSimilar("data."+typeAndName, slices.Collect(maps.Keys(l.data))); s != "" {
			why = "Did you mean " + s + "?"
		}
		l.errorAt(t.SourceRange(), "Undeclared reference", fmt.Sprintf("There is no data block data.%s. %s", typeAndName, why))
		return nil, typeAndName
	}
	var rest hcl.Traversal
	var ok bool
	r.instanceKey, r.hasConstantKey, rest, ok = l.resolveInstanceKey(t, 3, d.forEach != nil, d.count != nil)
	if ok && len(rest) > 0 && addr.RootOrAttrName(rest[0]) != "" && !d.form.valueType.HasAttribute(addr.RootOrAttrName(rest[0])) {
		l.errorAt(t.SourceRange(), "Unknown attribute", d.unknownAttributeDetail(addr.RootOrAttrName(rest[0])))
		ok = false
	}
	r.isInvalid = !ok
	return d.node, typeAndName
}

// resolveInstanceKey takes a constant instance key off a reference, behind its first
// n steps; what follows is the rest. A key must stand exactly where there are several instances.
func (l *module) resolveInstanceKey(t hcl.Traversal, n int, forEach, count bool) (at addr.InstanceKey, hasConstantKey bool,
	rest hcl.Traversal,
	ok bool) {
	rest = t[n:]
	if len(rest) == 0 {
		return at, false, nil, true
	}
	what := traversalText(t[:n])
	if index, isIndex := rest[0].(hcl.TraverseIndex); isIndex {
		if !forEach && !count {
			l.errorAt(t.SourceRange(), "Invalid reference", fmt.Sprintf("%s has neither for_each nor count, so it has no instances; "+
				"leave out the brackets.", what))
			return at, false, nil, false
		}
		at, hasConstantKey = instanceKeyOf(index.Key)
		return at, hasConstantKey, rest[1:], true
	}
	if forEach || count {
		example := `["KEY"]`
		if count {
			example = "[0]"
		}
		l.errorAt(t.SourceRange(), "Invalid reference",
			fmt.Sprintf("%s has several instances; name one, as %s%s.%s.", what, what, example, addr.RootOrAttrName(rest[0])))
		return at, false, nil, false
	}
	return at, false, rest, true
}

const computedSummary = "Computed attribute in an argument"

func computedDetail(what string) string {
	return fmt.Sprintf("B2 makes %s only during apply. Computed attributes may appear in output, check, deliver and the postcondition of "+
		"a resource, nowhere else. Where a bucket or a key is wanted, refer to it as a whole, as bucket.NAME or key.NAME.", what)
}

// unknownAttributeDetail says what to write instead of an attribute that the data does not
// have, which may be one of the official provider.
func (d *dataBlock) unknownAttributeDetail(name string) string {
	instead, k := d.form.syntax.OwnNameByTerraformName[name], d.form.kind
	if k != nil && !d.form.isList {
		if known := b2formAttrNameOrSame(k, name); known != name {
			instead = known
		}
	}
	if instead != "" {
		return fmt.Sprintf("%s has no attribute %q here; write %s.", d.addr, name, instead)
	}
	known := slices.Sorted(maps.Keys(d.form.valueType.AttributeTypes()))
	return fmt.Sprintf("%s has no attribute %q.%s", d.addr, name, words.DidYouMean(name, "", known))
}

func unknownAttributeDetail(k *kind.Kind, name string) string {
	var names []string
	for i := range k.Attrs {
		if k.Attrs[i].TerraformName == name {
			return fmt.Sprintf("A %s has no attribute %q here; write %s.", k.Name, name, k.Attrs[i].Name)
		}
		names = append(names, k.Attrs[i].Name)
	}
	return fmt.Sprintf("A %s has no attribute %q.%s", k.Name, name, words.DidYouMean(name, "", names))
}

// instanceKeyOf reads a constant instance key.
func instanceKeyOf(key cty.Value) (instance addr.InstanceKey, ok bool) {
	if key.IsNull() || !key.IsKnown() {
		return addr.InstanceKey{}, false
	}
	switch key.Type() {
	case cty.String:
		return addr.ForEachKey(key.AsString()), true
	case cty.Number:
		n, _ := key.AsBigFloat().Int64()
		return addr.CountIndex(int(n)), true
	}
	return addr.InstanceKey{}, false
}

// traversalText writes a reference as its author did.
func traversalText(t hcl.Traversal) string {
	var b strings.Builder
	for i, step := range t {
		switch s := step.(type) {
		case hcl.TraverseIndex:
			at, _ := instanceKeyOf(s.Key)
			b.WriteString(at.String())
		default:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(addr.RootOrAttrName(step))
		}
	}
	return b.String()
}
