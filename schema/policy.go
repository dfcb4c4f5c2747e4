package schema

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/folder"
	"b2form/schema/functions"
	"b2form/schema/kind"
	"b2form/schema/parse"
	"b2form/schema/syntax"
)

// A policy is one policy block.
type policy struct {
	declared               *config.Policy
	kinds                  []*kind.Kind
	when, require, message hcl.Expression // when may be nil
	broken                 bool           // an error was reported
	baseContext            *hcl.EvalContext
}

func (p *policy) expressions() []hcl.Expression {
	list := []hcl.Expression{p.require, p.message}
	if p.when != nil {
		list = append(list, p.when)
	}
	return list
}

// readPolicyFolders declares what stands in the folders that were named for policies.
func (l *module) readPolicyFolders() {
	for _, dir := range l.PolicyDirs {
		if dir == "" {
			l.errorWithoutPlace("Policies not found", "B2FORM_POLICY names a folder by an empty text, as of a variable of the "+
				"shell that is not set. Name the folder, or leave it out.")
			continue
		}
		files, err := ListConfigDirFiles(dir)
		if info, statErr := os.Stat(dir); statErr == nil && info.Mode().IsRegular() {
			files, err = ConfigDirFiles{ConfigFiles: []string{dir}}, nil
			dir = filepath.Dir(dir)
		}
		if err != nil || len(files.ConfigFiles) == 0 {
			why := "holds no file named *.b2.hcl"
			if err != nil {
				why = "cannot be read: " + words.ErrorWithoutPath(err)
			}
			l.errorWithoutPlace("Policies not found", fmt.Sprintf("The folder %s, named by -policy or B2FORM_POLICY, %s.", dir, why))
			continue
		}
		from := folder.Folder{Dir: dir, ModuleDir: dir, WiderBoundary: folder.NewPolicyBoundary(dir)}
		root := newBaseContext(Options{Dir: dir, Cwd: l.Cwd}, from, functions.ForPolicyDirs(from, l.shared.evalBudget))
		for _, path := range files.ConfigFiles {
			l.readPolicyFile(from, path, root)
		}
	}
}

// readPolicyFile declares the policies of one file that holds nothing else.
func (l *module) readPolicyFile(from folder.Folder, path string, base *hcl.EvalContext) {
	src, why := ReadConfigFile(from, filepath.Base(path))
	file, diags := l.parseSource(path, src, why, nil)
	l.add(diags...)
	if file == nil || file.Body == nil || diags.HasErrors() {
		return
	}
	if l.config.Files[path] == nil { // else it is one of the configuration's too
		l.config.Files[path] = file
	}
	d := syntax.FindFixedBlock("policy")
	content, _, diags := file.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{d.HeaderSchema()}})
	l.add(diags...)
	for _, it := range topLevelItems(file.Body) {
		if it.name != d.Type {
			l.errorAt(it.nameRange, "Only policies are read here", fmt.Sprintf("Folders that -policy and B2FORM_POLICY name hold policy "+
				"blocks, and %q is none. Move it to the configuration.", it.name))
		}
	}
	for _, b := range content.Blocks {
		if p := l.declarePolicy(b, true); p != nil {
			p.baseContext = base
		}
	}
}

// declarePolicy reads one block; nil: it is none that has a name of its own.
func (l *module) declarePolicy(b *hcl.Block, fromPolicyDir bool) *policy {
	if !l.checkLabel(b) {
		return nil
	}
	name := b.Labels[0]
	if slices.Contains(builtInPolicyNames(), name) {
		l.errorAt(b.LabelRanges[0], "Reserved name", fmt.Sprintf("A policy named %q comes with b2form; deny in the b2form block "+
			"switches it on. Choose another name.", name))
		return nil
	}
	if l.registerCheckOrPolicyName("policy."+name, b.DefRange) {
		return nil
	}
	content, complete := l.readContent(b, syntax.FindFixedBlock(b.Type))
	p := &policy{declared: &config.Policy{Name: name, Range: b.DefRange, FromPolicyDir: fromPolicyDir}, broken: !complete,
		baseContext: l.baseContext}
	l.policies = append(l.policies, p)
	attrs := content.Attributes
	level, exceptions := syntax.PolicyLevels()[0], true
	l.evalConstant(attrs["level"], &level)
	l.evalConstant(attrs["exceptions"], &exceptions)
	if !slices.Contains(syntax.PolicyLevels(), level) {
		l.errorAt(attrs["level"].Expr.Range(), "Unknown level", fmt.Sprintf("The level of a policy is %s, not %q.",
			strings.Join(syntax.PolicyLevels(), " or "), level))
	}
	p.declared.Warning, p.declared.NoExceptions = level == syntax.PolicyLevels()[1], !exceptions
	if !complete {
		return p
	}
	p.require, p.message = attrs["require"].Expr, attrs["message"].Expr
	if a := attrs["when"]; a != nil {
		p.when = a.Expr
	}
	p.broken = !l.readPolicyKinds(p, attrs["kinds"])
	if p.broken {
		return p
	}
	for _, e := range p.expressions() {
		if fromPolicyDir && parse.Calls(e, "nonsensitive") {
			l.errorAt(e.Range(), "Policies show no sensitive value", "nonsensitive() is not for policies that -policy and B2FORM_POLICY "+
				"name: what the configuration calls sensitive stays so. Conditions can ask for such values without it.")
			p.broken = true
		}
		for _, t := range e.Variables() {
			p.broken = !l.checkAndNotePolicyReference(p, t) || p.broken
		}
	}
	l.config.Policies = append(l.config.Policies, p.declared)
	return p
}

// builtInPolicyNames are the names of those that come with the program and are switched on
// by deny.
func builtInPolicyNames() []string {
	return syntax.FindFixedBlock("b2form").FindArgument("deny").Choices
}

func (l *module) readPolicyKinds(p *policy, a *hcl.Attribute) (valid bool) {
	v, diags := l.shared.evalBudget.Evaluate(a.Expr, nil)
	l.add(diags...)
	if diags.HasErrors() {
		return false
	}
	list, err := convert.Convert(v, cty.List(cty.String))
	if err != nil || list.IsNull() || list.LengthInt() == 0 {
		l.errorAt(a.Expr.Range(), wrongType, fmt.Sprintf("kinds needs a list of kinds of resources: %s.",
			words.JoinAnd(l.sortedKindNames())))
		return false
	}
	ok := true
	for i, v := range list.AsValueSlice() {
		name := ""
		if !v.IsNull() {
			name = v.AsString()
		}
		k := l.kinds[name]
		if k == nil {
			l.errorAt(locateIn(a.Expr, cty.IndexIntPath(i), false), "Unknown kind", fmt.Sprintf("There is no kind %q; the kinds are %s.%s",
				name, words.JoinAnd(l.sortedKindNames()), words.DidYouMean(name, "", l.sortedKindNames())))
			ok = false
			continue
		}
		if !slices.Contains(p.kinds, k) {
			p.kinds, p.declared.Kinds = append(p.kinds, k), append(p.declared.Kinds, name)
		}
	}
	slices.Sort(p.declared.Kinds)
	return ok
}

// checkAndNotePolicyReference judges one reference in a policy; false: an error was reported.
func (l *module) checkAndNotePolicyReference(p *policy, t hcl.Traversal) (valid bool) {
	known := map[string][]string{"each": {"change", "key", "value"}, "path": {"cwd", "module", "root"}, "resources": l.sortedKindNames(),
		"account": slices.Sorted(maps.Keys(accountDataType().AttributeTypes()))}
	root, member := t.RootName(), ""
	if len(t) > 1 {
		member = addr.RootOrAttrName(t[1])
	}
	names, ok := known[root]
	switch {
	case !ok:
		l.errorAt(t.SourceRange(), "Invalid reference", fmt.Sprintf("Nothing is named %s here. A policy sees each.key, each.value, "+
			"each.change, resources, account and path.%s", root,
			words.DidYouMean(root, "", []string{"each", "resources", "account", "path"})))
		return false
	case member != "" && !slices.Contains(names, member):
		l.errorAt(t.SourceRange(), "Invalid reference", fmt.Sprintf("%s holds %s.%s", root, words.JoinAnd(names),
			words.DidYouMean(member, "", names)))
		return false
	case root == "account":
		p.declared.SeesAccount = true
	case root == "each" && member == "value" && len(t) > 2:
		return l.checkPolicyAttr(p, t, addr.RootOrAttrName(t[2]), false)
	case root == "each" && (member == "change" || member == ""):
		p.declared.SeesChange = true
		return len(t) < 3 || l.checkPolicyChangeReference(p, t)
	}
	return true
}

func (l *module) checkPolicyChangeReference(p *policy, t hcl.Traversal) (valid bool) {
	members := []string{"action", "before", "deletes", "fields", "hazards"}
	name := addr.RootOrAttrName(t[2])
	switch {
	case name != "" && !slices.Contains(members, name):
		l.errorAt(t.SourceRange(), "Invalid reference", fmt.Sprintf("each.change holds %s.%s", words.JoinAnd(members),
			words.DidYouMean(name, "", members)))
		return false
	case name == "before" && len(t) > 3:
		return l.checkPolicyAttr(p, t, addr.RootOrAttrName(t[3]), true)
	}
	return true
}

// checkPolicyAttr judges an attribute that some kind of the policy must have; live says that
// what B2 makes is known too.
func (l *module) checkPolicyAttr(p *policy, t hcl.Traversal, name string, computedKnown bool) (valid bool) {
	if name == "" {
		return true
	}
	found := false
	for _, k := range p.kinds {
		a := k.FindAttr(name)
		switch {
		case a == nil:
			continue
		case k.Content != nil && name == k.Content.TextAttr:
			l.errorAt(t.SourceRange(), "Content cannot be referred to", fmt.Sprintf("What a %s holds is not kept beside it.", k.Name))
			return false
		case a.Computed && !computedKnown:
			l.errorAt(t.SourceRange(), computedSummary, fmt.Sprintf("%s is made by B2 and is not known before apply, so a plan cannot "+
				"be checked by it. What is live is in each.change.before.", traversalText(t[:3])))
			return false
		}
		found = true
	}
	if !found {
		l.errorAt(t.SourceRange(), "Unknown attribute", unknownAttributeDetail(p.kinds[0], name))
	}
	return found
}

// instanceExceptions reads what an instance says of policies.
func (e *instanceEvaluation) instanceExceptions() []config.Exception {
	expr := e.block.policyExceptions
	if expr == nil {
		return nil
	}
	s := *e.module.staticScope
	s.report = e.report()
	v, marks := s.eval(expr, e.ctx).UnmarkDeep()
	if marks.Has(kind.Sensitive) {
		s.report.errorAt(expr.Range(), "Sensitive policy_exceptions", "Reasons are shown in plans, so they cannot come from a sensitive "+
			"value. Use nonsensitive() where that is harmless.")
		return nil
	}
	if !v.IsWhollyKnown() {
		e.module.reportUnknownUnlessPending(s.report, expr.Range(), marks)
		return nil
	}
	m, err := convert.Convert(v, cty.Map(cty.String))
	if err != nil {
		s.report.errorAt(expr.Range(), wrongType, "policy_exceptions needs a map of names of policies to reasons, as { keys_expire = "+
			"\"until June\" }.")
		return nil
	}
	var out []config.Exception
	if m.IsNull() {
		return nil
	}
	for it := m.ElementIterator(); it.Next(); { // sorted by key
		name, reason := it.Element()
		if reason.IsNull() || strings.TrimSpace(reason.AsString()) == "" {
			s.report.errorAt(locateIn(expr, cty.IndexStringPath(name.AsString()), false), "Exception without a reason",
				fmt.Sprintf("The exception from the policy %q needs a reason, which every plan shows.", name.AsString()))
			continue
		}
		out = append(out, config.Exception{Policy: name.AsString(), Reason: reason.AsString()})
	}
	return out
}

// sortPoliciesAndCheckExceptions judges the exceptions of resources by the policies that there are.
func (l *module) sortPoliciesAndCheckExceptions() {
	slices.SortFunc(l.config.Policies, func(a, b *config.Policy) int { return strings.Compare(a.Name, b.Name) })
	known, names := map[string]*config.Policy{}, slices.Clone(builtInPolicyNames())
	for _, p := range l.config.Policies {
		known[p.Name] = p
		names = append(names, p.Name)
	}
	for _, r := range l.config.Resources {
		for _, x := range r.Exceptions {
			at := r.Block.RangeOf("policy_exceptions")
			p := known[x.Policy]
			switch {
			case p != nil && p.NoExceptions:
				l.errorAt(at, "Exception not allowed", fmt.Sprintf("%s is excepted from policy.%s, declared at %s, which allows no "+
					"exceptions. Remove the exception, and do what the policy demands.", r.Addr, x.Policy, fileAndLine(p.Range)))
			case p != nil || slices.Contains(builtInPolicyNames(), x.Policy):
			case len(l.PolicyDirs) > 0 || words.FindSimilar(x.Policy, names) != "": // else it may be one of a folder
				l.add(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Exception from no policy", Subject: &at,
					Detail: fmt.Sprintf("%s is excepted from a policy %q, and there is none of that name here.%s", r.Addr, x.Policy,
						words.DidYouMean(x.Policy, "", names))})
			}
		}
	}
}

// fileAndLine is where something stands, in words.
func fileAndLine(r hcl.Range) string {
	return fmt.Sprintf("%s:%d", filepath.ToSlash(r.Filename), r.Start.Line)
}
