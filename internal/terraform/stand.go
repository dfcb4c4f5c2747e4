package terraform

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/visible"
	"b2form/schema/addr"
)

// standInFile holds the variables that stand in for what stays in Terraform.
const standInFile = "from_terraform.b2.hcl"

// A substituteVariable is a variable in place of an attribute of a resource that stays.
type substituteVariable struct {
	replacedItem  *item  // nil: terraform.workspace
	referencePath string // "random_id.suffix.hex"
	attrPath      []string
	members       map[string]bool // in place of attrPath: what is read of its instances, which go through it one by one
	wantsNames    bool            // of buckets, in place of the IDs that Terraform has there
	toSecret      bool            // somewhere it becomes a secret
	where         Place
}

// replaceByVariable rewrites a reference to what stays: a variable with the value that the state
// has.
func (r *rewriter) replaceByVariable(t hcl.Traversal, u expressionUse) {
	from := 2
	if t.RootName() == "data" {
		from = 3
	}
	if t.RootName() == "terraform" {
		if len(t) != 2 || addr.RootOrAttrName(t[1]) != "workspace" {
			r.refuse(t.SourceRange(), "b2form has no "+referenceText(t)+".")
			return
		}
		r.replace(t.SourceRange(), "var."+r.addSubstituteVariable(nil, t, nil, plain))
		return
	}
	it := r.mod.findReferencedItem(t)
	indexes, rest := cutIndexes(t[from:])
	attrs := leadingMemberNames(rest)
	if len(attrs) == 0 || isRepeated(it) != (len(indexes) > 0) || len(indexes) > 1 {
		r.refuse(t.SourceRange(), "It refers to "+it.title()+", which stays in Terraform, as a whole. Name one of its attributes.")
		return
	}
	name := r.addSubstituteVariable(it, t, r.nameForIDPath(it, attrs, u), u)
	r.replaceWithMembers(hcl.RangeBetween(t[0].SourceRange(), t[from-1].SourceRange()), rest[:len(attrs)], name)
}

// replaceWithMembers writes a variable in place of what stands in a range, and takes out the members that it is the value of.
func (r *rewriter) replaceWithMembers(at hcl.Range, members hcl.Traversal, variable string) {
	r.replace(at, "var."+variable)
	for _, step := range members {
		r.replace(step.SourceRange(), "")
	}
}

// replaceIndexedByVariable rewrites a reference with an index that is an expression, if it leads to
// what stays.
func (r *rewriter) replaceIndexedByVariable(e *hclsyntax.RelativeTraversalExpr, u expressionUse, s *scope) (handled bool) {
	index, ok := e.Source.(*hclsyntax.IndexExpr)
	if !ok {
		return false
	}
	base, ok := index.Collection.(*hclsyntax.ScopeTraversalExpr)
	if !ok || s.find(base.Traversal.RootName()) != nil {
		return false
	}
	it := r.mod.findReferencedItem(base.Traversal)
	if it == nil || it.localAttr != nil || it.fate == carried || it.block.Type != "resource" && it.block.Type != "data" {
		return false
	}
	if it.kind != nil && it.block.Type == "resource" && r.readsSecret(it.kind, e.Traversal) {
		r.refuse(e.SrcRange, secretRefusalText(it), it)
		return true
	}
	attrs := leadingMemberNames(e.Traversal)
	if len(attrs) == 0 || !isRepeated(it) {
		r.refuse(e.SrcRange, "It refers to "+it.title()+", which stays in Terraform, as a whole. Name one of its attributes.")
		return true
	}
	name := r.addSubstituteVariable(it, base.Traversal, r.nameForIDPath(it, attrs, u), u)
	r.replaceWithMembers(base.SrcRange, e.Traversal[:len(attrs)], name)
	r.expression(index.Key, plain, s)
	return true
}

// allOutputs is the reference that a local value is another name for, where that is to all outputs of another state; nil: it
// is none. What reads one of them gets a variable for that one: nobody knows what else there is, so all of them are a secret.
func (mod *module) allOutputs(local *item) hcl.Traversal {
	e, direct := local.localAttr.Expr.(*hclsyntax.ScopeTraversalExpr)
	if !direct {
		return nil
	}
	to := mod.findReferencedItem(e.Traversal)
	if to == nil || to.localAttr != nil || to.fate != staysInTerraform || to.block.Type != "data" || isRepeated(to) ||
		!isOfUnknownOrigin(to.block.Labels[0]) || len(e.Traversal) != 4 {
		return nil
	}
	return e.Traversal
}

// hasReaderOfAll reports whether something that may be carried over reads a local value as a whole.
func (mod *module) hasReaderOfAll(local *item) bool {
	return slices.ContainsFunc(mod.items, func(it *item) bool {
		return it.fate == carried && slices.ContainsFunc(it.refs, func(t hcl.Traversal) bool {
			return mod.findReferencedItem(t) == local && len(leadingMemberNames(t[2:])) == 0
		})
	})
}

// replaceOutputByVariable rewrites a reference to one of the outputs that a local value is all of.
func (r *rewriter) replaceOutputByVariable(t, all hcl.Traversal, u expressionUse) {
	members := leadingMemberNames(t[2:])
	name := r.addSubstituteVariable(r.mod.findReferencedItem(all), t, append(leadingMemberNames(all[3:]), members...), u)
	r.replaceWithMembers(hcl.RangeBetween(t[0].SourceRange(), t[1].SourceRange()), t[2:][:len(members)], name)
}

// nameForIDPath is what is asked of what stays: of a bucket its name, where its ID stood.
func (r *rewriter) nameForIDPath(it *item, attrs []string, u expressionUse) []string {
	if it.kind != nil && u != computedAllowed && u != plain {
		a := attrByTerraformName(it.kind.Attrs, attrs[0])
		if attrs[0] == "id" || a != nil && a.Name == it.kind.IDAttr {
			return []string{terraformName(it.kind.FindAttr(it.kind.IdentityAttr))}
		}
	}
	return attrs
}

func cutIndexes(t hcl.Traversal) (indexes, rest hcl.Traversal) {
	for n, step := range t {
		if _, index := step.(hcl.TraverseIndex); !index {
			return t[:n], t[n:]
		}
	}
	return t, nil
}

// leadingMemberNames are those of attributes, and of members that an index names as a text.
func leadingMemberNames(t hcl.Traversal) (names []string) {
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseAttr:
			names = append(names, s.Name)
		case hcl.TraverseIndex:
			if s.Key.Type() != cty.String {
				return names
			}
			names = append(names, s.Key.AsString())
		default:
			return names
		}
	}
	return names
}

// addSubstituteVariable notes a variable and gives its name.
func (r *rewriter) addSubstituteVariable(it *item, t hcl.Traversal, attrs []string, u expressionUse) string {
	full, name := "terraform.workspace", "terraform_workspace"
	if it != nil {
		full = it.referenceName
		for _, member := range attrs {
			if hclsyntax.ValidIdentifier(member) {
				full += "." + member
			} else {
				full += "[" + quoted(member) + "]"
			}
		}
		name = identifierFrom(it.referenceName + "_" + strings.Join(attrs, "_"))
	}
	s := &substituteVariable{replacedItem: it, referencePath: full, attrPath: attrs, where: r.it.file.place(t.SourceRange(), full, "")}
	s.wantsNames = r.wantsNames(s, u)
	s.toSecret = it != nil && it.kind == nil && r.goesToSecret()
	return r.mod.addSubstitute(name, s)
}

// wantsNames reports whether a variable goes to where names of buckets are wanted, and Terraform has IDs there: what goes
// straight to such a setting is one; what goes through local values and functions is one if it looks like one.
func (r *rewriter) wantsNames(s *substituteVariable, u expressionUse) bool {
	if it := s.replacedItem; it == nil || it.kind != nil || !r.goesToLink(u) {
		return false
	}
	values, _ := r.m.state.valuesByModuleAddress(r.m, s)
	for _, v := range values {
		if r.m.literalIDRemark(v) != "" {
			return true
		}
	}
	return u == wantsObject
}

// goesToLink reports whether what is rewritten comes to where objects are named.
func (r *rewriter) goesToLink(u expressionUse) bool {
	return u == wantsObject || u == flow && (r.flowsTo == nil || r.flowsTo.flow.toLink)
}

// goesToSecret reports whether what is rewritten becomes a secret.
func (r *rewriter) goesToSecret() bool {
	return r.intoSecret || r.flowsTo != nil && r.flowsTo.flow.toSecret
}

// addSubstitute gives a module a variable, if it has none for the same, and gives its name: the wanted one, or that with
// a number where another variable has it.
func (mod *module) addSubstitute(wanted string, s *substituteVariable) (name string) {
	name = wanted
	for n := 2; mod.byReferenceName["var."+name] != nil || mod.substitutes[name] != nil &&
		!mod.substitutes[name].standsForSame(s); n++ {
		name = fmt.Sprintf("%s_%d", wanted, n)
	}
	if known := mod.substitutes[name]; known != nil {
		known.toSecret = known.toSecret || s.toSecret
	} else {
		mod.substitutes[name] = s
	}
	return name
}

func (s *substituteVariable) standsForSame(other *substituteVariable) bool {
	return s.replacedItem == other.replacedItem && s.referencePath == other.referencePath && s.wantsNames == other.wantsNames
}

// identifierFrom is a text with _ in place of what no name may hold.
func identifierFrom(text string) string {
	return strings.Map(func(c rune) rune {
		if !hclsyntax.ValidIdentifier("x" + string(c)) {
			return '_'
		}
		return c
	}, text)
}

// writeSubstituteVariables writes the variables of a module. Those of the root module have the values that the state has;
// others get theirs from the calls, so that a module that several configurations call is the same for each.
func (m *migration) writeSubstituteVariables(mod *module) {
	if len(mod.substitutes) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("# In place of what stays in Terraform.\n")
	for _, name := range slices.Sorted(maps.Keys(mod.substitutes)) {
		s := mod.substitutes[name]
		about := s.referencePath + " in Terraform"
		if s.wantsNames {
			about = "the name of the bucket with the ID " + about
		} else if s.members != nil {
			about += ", with what is read of each instance"
		}
		fmt.Fprintf(&b, "\nvariable %s {\n  description = %s\n", quoted(name), quoted(about))
		values, secret := m.substituteValues(s)
		if secret {
			b.WriteString("  type = " + secretType(s, values) + "\n  sensitive = true\n")
		}
		if mod != m.root {
			m.passToCalls(mod, name, s, values, secret)
		} else if value, ok := m.rootValue(name, s, values, secret); ok {
			b.WriteString("  default = " + literalHCL(value) + "\n")
		}
		b.WriteString("}\n")
	}
	m.result.Files = append(m.result.Files, File{Path: path.Join(mod.dir, standInFile), Mode: 0o644,
		Text: hclwrite.Format([]byte(b.String())), source: "the variables for what stays in Terraform"})
}

// rootValue is the value of a variable of the root module; false: it has none, which is noted.
func (m *migration) rootValue(name string, s *substituteVariable, values map[string]cty.Value, secret bool) (v cty.Value, found bool) {
	if s.replacedItem == nil {
		return m.workspaceValue(name, s)
	}
	v, found = values[""]
	switch {
	case m.state != nil && len(values) == 0 && isRepeated(s.replacedItem) && !s.wantsNames: // it has no instances
		if s.replacedItem.block.Body.Attributes["count"] != nil {
			return cty.EmptyTupleVal, true
		}
		return cty.EmptyObjectVal, true
	case secret:
		how := ""
		if secretType(s, values) == "any" {
			how = ", where it is written as an expression: { a = \"…\" } or [\"…\"]"
		}
		m.noteMissingValue(s, "It is a secret, so the variable "+name+" has no value. Terraform's state has it, as "+s.referencePath+
			". Give it in the environment, as B2FORM_VAR_"+name+how+".")
		return cty.NilVal, false
	case !found && s.wantsNames:
		m.noteMissingValue(s, "It is the ID of a bucket in Terraform, and goes to where b2form wants names. Give the variable "+name+
			" the name, not the ID.")
	case !found:
		m.noteMissingValue(s, "The state does not have it. Give the variable "+name+" a value.")
	}
	return v, found
}

// secretType is the type of a variable for a secret: string, unless the state shows that it is no text.
func secretType(s *substituteVariable, values map[string]cty.Value) string {
	if len(values) == 0 && (isRepeated(s.replacedItem) || s.isWholeOfUnknownOrigin()) ||
		slices.ContainsFunc(slices.Collect(maps.Values(values)), func(v cty.Value) bool { return !v.Type().IsPrimitiveType() }) {
		return "any"
	}
	return "string"
}

// substituteValues are the values of a variable by the addresses of modules, with names where it wants these. What the
// state has no name for is left out.
func (m *migration) substituteValues(s *substituteVariable) (values map[string]cty.Value, secret bool) {
	values, secret = m.state.valuesByModuleAddress(m, s)
	if !s.wantsNames {
		return values, secret
	}
	for path, v := range values {
		named, _ := cty.Transform(v, func(_ cty.Path, v cty.Value) (cty.Value, error) { // it returns no error
			if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
				if name := m.state.findBucketName(v.AsString()); name != "" {
					return cty.StringVal(name), nil
				}
			}
			return v, nil
		})
		if values[path] = named; m.literalIDRemark(named) != "" {
			delete(values, path)
		}
	}
	return values, secret
}

// workspaceValue is the name of the workspace that is carried over; false: nothing says it.
func (m *migration) workspaceValue(name string, s *substituteVariable) (v cty.Value, found bool) {
	if m.Workspace == "" {
		m.noteMissingValue(s, "b2form has no workspaces, and nothing here says which one this is. Give the variable "+name+
			" the name of the workspace.")
		return cty.NilVal, false
	}
	s.where.Remark = "b2form has no workspaces. The variable " + name + " has the name of the one that is carried over, " +
		quoted(m.Workspace) + "."
	m.result.ChangedMeaning = append(m.result.ChangedMeaning, s.where)
	return cty.StringVal(m.Workspace), true
}

// noteMissingValue notes that a variable waits for a value.
func (m *migration) noteMissingValue(s *substituteVariable, why string) {
	s.where.Remark, m.result.HasUnsetVariables = why, true
	m.result.ChangedMeaning = append(m.result.ChangedMeaning, s.where)
}

// passToCalls hands the value of a variable to each call of its module: what the state has, by the instances of the calls,
// or a variable of the caller.
func (m *migration) passToCalls(mod *module, name string, s *substituteVariable, values map[string]cty.Value, secret bool) {
	for _, call := range mod.callers {
		if call.fate != carried {
			continue
		}
		if call.module != m.root || secret || len(values) == 0 {
			apart := *s
			outer := call.module.addSubstitute(name, &apart)
			call.substituteArguments = append(call.substituteArguments, name+" = var."+outer)
			continue
		}
		if text := callArgument(call, values); text != "" {
			call.substituteArguments = append(call.substituteArguments, name+" = "+text)
		} else {
			m.noteMissingValue(s, "It differs between the instances of the module, or the state does not have it for each. Give "+name+
				" a value in "+call.title()+".")
		}
	}
}

// callArgument is the expression that gives the instances of a call their values, which are by the addresses of modules;
// "": there is none.
func callArgument(call *item, values map[string]cty.Value) (expr string) {
	byText, byNumber, first := map[string]cty.Value{}, []cty.Value{}, cty.NilVal
	byKey, differ := map[addr.InstanceKey]cty.Value{}, false
	for _, path := range sortedModuleAddresses(values) {
		key, ok := instanceOfCall(path, call.block.Labels[0])
		if !ok {
			continue
		}
		v := values[path]
		if before, again := byKey[key]; again {
			if !before.RawEquals(v) {
				return ""
			}
			continue
		}
		if byKey[key] = v; first == cty.NilVal {
			first = v
		}
		differ = differ || !v.RawEquals(first)
		switch k := key.Value(); {
		case k.IsNull():
		case k.Type() == cty.Number:
			byNumber = append(byNumber, v)
		default:
			byText[k.AsString()] = v
		}
	}
	switch {
	case first == cty.NilVal:
		return ""
	case !differ:
		return literalHCL(first)
	case len(byNumber) > 0:
		return literalHCL(cty.TupleVal(byNumber)) + "[count.index]"
	}
	return literalHCL(cty.ObjectVal(byText)) + "[each.key]"
}

// sortedModuleAddresses sorts the addresses of module instances, numbers by size.
func sortedModuleAddresses(values map[string]cty.Value) []string {
	return slices.SortedFunc(maps.Keys(values), func(a, b string) int {
		x, _ := addr.ParseTarget(a)
		y, _ := addr.ParseTarget(b)
		xs, _ := moduleSteps(x.Module)
		ys, _ := moduleSteps(y.Module)
		if len(xs) > 0 && len(ys) > 0 && xs[0].name == ys[0].name {
			return addr.Addr{Instance: xs[0].key}.Compare(addr.Addr{Instance: ys[0].key})
		}
		return strings.Compare(a, b)
	})
}

// instanceOfCall is the instance of a call that a module's address begins with.
func instanceOfCall(moduleAddress, callName string) (key addr.InstanceKey, ok bool) {
	steps, ok := moduleSteps(moduleAddress)
	if !ok || len(steps) == 0 || steps[0].name != callName {
		return addr.InstanceKey{}, false
	}
	return steps[0].key, true
}

// noteUncarriedSecretReaders notes what reads the secrets of keys: what stays and what is left. What is in the module of
// the key is noted at the key, by its place in the module; anything else at the call that leads there, since a module reads
// the same whoever calls it.
func (m *migration) noteUncarriedSecretReaders() {
	for _, mod := range m.calleesFirst {
		for _, it := range mod.items {
			for _, key := range m.keysReadByUncarriedItem(mod, it) {
				if key.fate != carried {
					continue
				}
				at := key
				if key.module != mod {
					at = mod.findCallLeadingTo(key.module)
				}
				reader := fmt.Sprintf("%s (%s:%d)", visible.EscapeLine(it.title()), it.file.name, it.place("").Line)
				if at != nil && !slices.Contains(at.secretReaders, reader) {
					at.secretReaders = append(at.secretReaders, reader)
				}
			}
		}
	}
}

// findCallLeadingTo is the call by which a module reaches another; nil: there is none.
func (mod *module) findCallLeadingTo(target *module) *item {
	for _, it := range mod.items {
		if it.callee != nil && it.fate == carried && (it.callee == target || it.callee.findCallLeadingTo(target) != nil) {
			return it
		}
	}
	return nil
}

// keysReadByUncarriedItem are the keys whose secrets an item that is not carried over reads.
func (m *migration) keysReadByUncarriedItem(mod *module, it *item) []*item {
	if it.fate == uncarriable {
		return it.keysOfReadSecrets
	}
	if it.fate != staysInTerraform {
		return nil
	}
	apart := *mod
	apart.substitutes = map[string]*substituteVariable{} // nothing of it is carried over
	r := &rewriter{m: m, mod: &apart, it: it}
	if it.localAttr != nil {
		r.expression(it.localAttr.Expr, computedAllowed, nil)
		return r.keysOfReadSecrets
	}
	r.repetition()
	r.conditionOrOutputBody(it.block.Body, computedAllowed)
	return r.keysOfReadSecrets
}
