package schema

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/folder"
	"b2form/schema/functions"
	"b2form/schema/kind"
	"b2form/schema/parse"
	"b2form/schema/syntax"
)

// A moduleCall is one module block. Each of its instances is loaded like a
// configuration of its own, by a loader that belongs to the caller's.
type moduleCall struct {
	node   *node
	name   string
	place  hcl.Range
	folder *moduleFolder
	inputs map[string]*hcl.Attribute // arguments for the module's variables

	forEach, count hcl.Expression // at most one is set
	dependsOn      hcl.Expression

	dependsOnRefs []ref // what depends_on names
	instances     []*module
}

// A moduleFolder is one folder of files that modules are made from.
type moduleFolder struct {
	dir                     string
	baseContext             *hcl.EvalContext // functions and path.* as the module sees them
	bodies                  []fileBody
	filesSize               int             // of its files, in bytes
	requiredByVariable      map[string]bool // by name: whether a value must be given
	maybeSensitiveVariables map[string]bool // variables whose values are shown nowhere
	outputNames             []string
}

// A sharedLoad holds what all modules of one Load have in common.
type sharedLoad struct {
	moduleFolderByDir     map[string]*moduleFolder // by folder; nil: it could not be read
	modules               []*module                // of the configuration and of every instance of a module
	rootOptions           Options
	scanBuffer            parse.ScannedBlock // of the block that is declared
	fileSchema            *hcl.BodySchema    // of the top level of files; nil until it is needed
	metaSchema            *hcl.BodySchema    // of what every resource takes
	hasNeedsBesideArgs    bool               // there are needs beside those by reference in arguments
	boundary              *folder.Boundary
	filesRootErr          error         // what is wrong with Options.FilesRoot
	hasUndecidedInstances bool          // the instances of a block are not known
	hasPendingData        bool          // there are data blocks that nothing answers yet
	evalBudget            *parse.Budget // of all that is evaluated

	resourcesWithErrors map[addr.Addr]bool                              // resources that an error was reported of
	hidingRules         map[addr.Addr]fileHidingRules                   // see noteHidingLifecycleRules
	blockCachesByKind   map[*kind.Kind]*kindBlockTemplate               // see emptyBlockOf
	cachedReferenceArgs map[cachedReferenceListKey]*cachedReferenceList // of all arguments evaluated so far
	bodySchemas         map[*kind.Attr]*hcl.BodySchema                  // by the first attribute; see bodySchema
}

// A caller is where a module was called.
type caller struct {
	module     *module
	call       *moduleCall
	repetition repetitionData
	needMarks  cty.ValueMarks // what everything in the module needs
}

func (l *module) declareModule(b *hcl.Block) {
	if !l.checkLabel(b) {
		return
	}
	c := &moduleCall{name: b.Labels[0], place: b.DefRange, inputs: map[string]*hcl.Attribute{}}
	c.node = &node{name: "module." + c.name, place: b.DefRange, call: c}
	if first := l.calls[c.name]; first != nil {
		l.reportDuplicate(c.node.name, b.DefRange, first.place)
		return
	}
	l.calls[c.name] = c
	l.nodes = append(l.nodes, c.node)
	d := syntax.FindFixedBlock(b.Type)
	content, complete := l.readContent(b, d)
	attrs := content.Attributes
	c.forEach, c.count = l.repetitionExprs(attrs, "module")
	c.dependsOn = exprIfGiven(attrs, "depends_on")
	if complete {
		c.folder = l.moduleFolderOf(attrs["source"])
	}
	if c.folder == nil {
		c.node.notEvaluated = true
		return
	}
	l.readInputs(c, l.otherAttributes(b.Body, d))
}

// readInputs matches arguments with the module's variables.
func (l *module) readInputs(c *moduleCall, attrs hcl.Attributes) {
	known := slices.Sorted(maps.Keys(c.folder.requiredByVariable))
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		a := attrs[name]
		_, declared := c.folder.requiredByVariable[name]
		hint := syntax.FindFixedBlock("module").FindHint(name)
		switch {
		case declared:
			c.inputs[name] = a
			if c.folder.maybeSensitiveVariables[name] {
				l.hideLiterals(a.Expr.Range())
			}
		case hint != nil:
			l.errorAt(a.NameRange, hint.Summary, hint.Advice)
		default:
			l.errorAt(a.NameRange, "Unsupported argument",
				fmt.Sprintf("The module in %s has no variable %q.%s", c.folder.dir, name, words.DidYouMean(name, "", known)))
		}
	}
	for _, name := range known {
		if !c.folder.requiredByVariable[name] || c.inputs[name] != nil {
			continue
		}
		c.node.notEvaluated = true
		misspelt := func(given string) bool { return c.inputs[given] == nil && words.FindSimilar(given, known) == name }
		if !slices.ContainsFunc(slices.Sorted(maps.Keys(attrs)), misspelt) {
			l.errorAt(c.place, missingArgument, fmt.Sprintf("The argument %q is required: the module in %s has a variable "+
				"of that name without a default.", name, c.folder.dir))
		}
	}
}

// moduleFolderOf reads the folder that a module block names; nil: an error was
// reported.
func (l *module) moduleFolderOf(a *hcl.Attribute) *moduleFolder {
	path := ""
	l.evalConstant(a, &path)
	if path != "." && path != ".." && !strings.HasPrefix(path, "./") && !strings.HasPrefix(path, "../") {
		if path != "" {
			l.errorAt(a.Expr.Range(), "Invalid source", fmt.Sprintf("%q is not a local folder. b2form downloads no modules: copy the "+
				"folder beside the configuration, and write its path beginning with ./ or ../.", path))
		}
		return nil
	}
	dir := filepath.Join(l.Dir, path)
	for up := l; ; up = up.caller.module {
		if filepath.Clean(up.Dir) == dir {
			l.errorAt(a.Expr.Range(), "Module within itself", fmt.Sprintf("The folder %s holds the block that calls it, so there would "+
				"be no end to it.", dir))
			return nil
		}
		if up.caller == nil {
			break
		}
	}
	s, known := l.shared.moduleFolderByDir[dir]
	if !known {
		s = l.readModuleFolder(dir, a.Expr.Range())
		l.shared.moduleFolderByDir[dir] = s
	}
	return s
}

// readModuleFolder parses the files of a module; nil: it cannot be used.
func (l *module) readModuleFolder(dir string, at hcl.Range) *moduleFolder {
	files, err := ListConfigDirFiles(dir)
	if err != nil || len(files.ConfigFiles) == 0 {
		why := "holds no file named *.b2.hcl"
		if err != nil {
			why = "cannot be read: " + words.ErrorWithoutPath(err)
		}
		l.errorAt(at, "Module not found", fmt.Sprintf("The folder %s %s.", dir, why))
		return nil
	}
	from := l.folderOf(dir)
	s := &moduleFolder{dir: dir, baseContext: newBaseContext(l.shared.rootOptions, from, functions.All(from, l.shared.evalBudget)),
		requiredByVariable: map[string]bool{}, maybeSensitiveVariables: map[string]bool{}}
	errors := l.hasErrors
	l.hasErrors = false
	for _, path := range files.ConfigFiles {
		if body := l.parseConfigFile(dir, path); body != nil {
			s.bodies = append(s.bodies, fileBody{path, body})
			s.filesSize += len(l.config.Files[path].Bytes)
		}
	}
	unparsed := l.hasErrors
	l.hasErrors = l.hasErrors || errors
	if unparsed {
		return nil
	}
	variable, output := syntax.FindFixedBlock("variable"), syntax.FindFixedBlock("output")
	schema := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{variable.HeaderSchema(), output.HeaderSchema()}}
	for _, f := range s.bodies {
		content, _, _ := f.body.PartialContent(schema) // its errors are reported when an instance is loaded
		for _, b := range content.Blocks {
			name := b.Labels[0]
			if b.Type == output.Type {
				s.outputNames = append(s.outputNames, name)
				continue
			}
			head, _, _ := b.Body.PartialContent(variable.OptionalBodySchema())
			s.requiredByVariable[name] = head.Attributes["default"] == nil
			s.maybeSensitiveVariables[name] = head.Attributes["sensitive"] != nil
		}
	}
	slices.Sort(s.outputNames)
	return s
}

// resolveModuleCallReferences resolves the references of a module block.
func (l *module) resolveModuleCallReferences(n *node) {
	c := n.call
	if c.folder == nil {
		return
	}
	u := allowedRefs{each: c.forEach != nil, count: c.count != nil, computed: true}
	var every []hcl.Traversal
	for _, name := range slices.Sorted(maps.Keys(c.inputs)) {
		every = append(every, c.inputs[name].Expr.Variables()...)
	}
	n.refs = l.resolveRepeated(c.forEach, c.count, every, u)
	c.dependsOnRefs, n.dependsOnNodes = l.resolveDependsOn(c.dependsOn)
}

// evaluateModuleCall loads the instances of a module block.
func (l *module) evaluateModuleCall(n *node) {
	c := n.call
	undecided := addr.Addr{Module: strings.TrimPrefix(l.addressPrefix+".module."+c.name, ".")}
	if n.notEvaluated {
		l.config.AddrsWithUnknownInstances = append(l.config.AddrsWithUnknownInstances, undecided)
		return
	}
	repeats, marks, ok := l.expandRepetitions(c.forEach, c.count, l.staticScope.context(n.refs, l.baseContext))
	if !ok {
		n.notEvaluated = true
		l.config.AddrsWithUnknownInstances = append(l.config.AddrsWithUnknownInstances, undecided)
		return
	}
	needs := cty.ValueMarks{}
	maps.Copy(needs, marks)
	if l.caller != nil {
		maps.Copy(needs, l.caller.needMarks)
	}
	for _, r := range c.dependsOnRefs {
		maps.Copy(needs, r.dependsOnMarks())
	}
	const perStep = 400 // bytes of files that take as long as one resource
	if over := l.shared.evalBudget.SpendInstances(len(repeats)*(c.folder.filesSize/perStep), c.place); over != nil {
		l.add(over...)
		return
	}
	for _, rep := range repeats {
		inner := l.newModuleInstance(c, rep, needs)
		c.instances = append(c.instances, inner)
		if inner.declareAndEvaluate(); l.shared.evalBudget.IsExceeded() {
			return // each of the others would only say so too
		}
	}
}

// newModuleInstance is one instance of a module, before anything of it is declared.
func (l *module) newModuleInstance(c *moduleCall, at repetitionData, needs cty.ValueMarks) *module {
	inner := addNewModule(l.Options, l.report, l.shared)
	inner.Dir, inner.Env, inner.Vars, inner.Ask = c.folder.dir, nil, nil, nil
	inner.kinds, inner.config = l.kinds, l.config
	inner.configBodies, inner.baseContext = c.folder.bodies, c.folder.baseContext
	inner.addressPrefix = strings.TrimPrefix(l.addressPrefix+".module."+c.name+at.instanceKey.String(), ".")
	inner.caller = &caller{module: l, call: c, repetition: at, needMarks: needs}
	inner.staticScope = l.staticScope.forModule(inner)
	return inner
}

// declareAndEvaluate declares and evaluates one module, after everything that its inputs refer to.
func (l *module) declareAndEvaluate() {
	l.declareBlocks()
	l.resolveAndOrderNodes()
	l.report = l.inModule(l.addressPrefix) // from here on it matters which instance this is
	l.assignVariables()
	l.evaluateNodes()
	if l.caller != nil {
		l.resolveOutputReferences()
	}
}

// callValue is what module.site evaluates to: an object of its outputs; with
// for_each an object of such objects, with count a tuple.
func (s *scope) callValue(c *moduleCall) cty.Value {
	list := make([]cty.Value, len(c.instances))
	byKey := make(map[string]cty.Value, len(list))
	for i, inner := range c.instances {
		list[i] = s.forModule(inner).outputsObject()
		if c.forEach != nil {
			byKey[inner.caller.repetition.instanceKey.Value().AsString()] = list[i]
		}
	}
	switch {
	case c.forEach != nil:
		return cty.ObjectVal(byKey)
	case c.count != nil:
		return cty.TupleVal(list)
	case len(list) == 1:
		return list[0]
	}
	return unknownYetValue(cty.DynamicPseudoType)
}

func (s *scope) outputsObject() cty.Value {
	out := make(map[string]cty.Value, len(s.module.outputs))
	for _, o := range s.module.outputs {
		o.checkPreconditions(s)
		v := s.eval(o.expr, s.context(o.refs, s.module.baseContext))
		if o.config.Sensitive {
			v = v.Mark(kind.Sensitive)
		}
		out[o.config.Name] = v
	}
	return cty.ObjectVal(out)
}

// inputValue is the value of a variable of a module: what the caller gives, in the
// variable's type, or its default.
func (s *scope) inputValue(v *variable) cty.Value {
	if v.node.notEvaluated {
		return cty.DynamicVal
	}
	value := v.defaultValue
	if len(v.givenValues) > 0 {
		value = s.evalInput(v, v.givenValues[0].expr)
	}
	if value == cty.NilVal {
		return cty.DynamicVal
	}
	if v.sensitive {
		value = value.Mark(kind.Sensitive)
	}
	return value
}

func (s *scope) evalInput(v *variable, e hcl.Expression) cty.Value {
	from := s.module.caller
	up := s.forModule(from.module)
	refs := from.call.node.refs
	if up.callContexts[from.call] == nil {
		up.callContexts[from.call] = up.context(refs, from.module.baseContext)
	}
	ctx := from.repetition.context(up.callContexts[from.call], refs.invalidRoots)
	value := up.eval(e, ctx)
	plain, _ := value.Unmark()
	if plain.IsKnown() && plain.IsNull() && !v.nullable {
		if v.defaultValue == cty.NilVal {
			s.report.errorAt(e.Range(), "Invalid value of a variable", fmt.Sprintf("The module's variable %s was given null although "+
				"nullable is false.", v.name))
		}
		return v.defaultValue
	}
	out, err := v.convert(value)
	if err != nil {
		s.report.errorAt(e.Range(), "Invalid value of a variable",
			fmt.Sprintf("This does not fit the type of the module's variable %s: %s.%s", v.name, typeErrorText(err),
				findWholeResourceHint(&hcl.Diagnostic{Expression: e, EvalContext: ctx})))
		return cty.DynamicVal
	}
	return out
}

// dependsOnMarks are marks of the resources that a reference in depends_on names.
func (r ref) dependsOnMarks() cty.ValueMarks {
	marks := cty.ValueMarks{}
	switch n := r.node; {
	case n.block != nil:
		for _, x := range n.block.resources {
			if !r.hasConstantKey || x.Addr.Instance == r.instanceKey {
				marks[refMark{x.Addr}] = struct{}{}
			}
		}
	case n.call != nil:
		for _, inner := range n.call.instances {
			if !r.hasConstantKey || inner.caller.repetition.instanceKey == r.instanceKey {
				maps.Copy(marks, inner.allResourceMarks())
			}
		}
	}
	return marks
}

// allResourceMarks is marks of all resources of a module and of those within it.
func (l *module) allResourceMarks() cty.ValueMarks {
	marks := cty.ValueMarks{}
	for _, n := range l.nodes {
		maps.Copy(marks, ref{node: n}.dependsOnMarks())
	}
	return marks
}

// pathFromRoot is a path of the module as the configuration's folder sees it.
func (l *module) pathFromRoot(path string) string {
	if l.caller == nil || filepath.IsAbs(path) {
		return path
	}
	return filepath.ToSlash(filepath.Join(modulePath(l.shared.rootOptions, l.Dir), path))
}

// A fromRootMark marks what is made from a path that begins at the configuration's folder, so that deliveries of modules
// take it from there.
type fromRootMark struct{}

// newBaseContext holds what every expression of the module whose files are read so may use:
// the functions and path.*. Paths are relative to the configuration's folder, as those given to
// functions are.
func newBaseContext(o Options, from folder.Folder, all map[string]function.Function) *hcl.EvalContext {
	return &hcl.EvalContext{
		Functions: all,
		Variables: map[string]cty.Value{"path": cty.ObjectVal(map[string]cty.Value{
			"module": cty.StringVal(modulePath(o, from.ModuleDir)).Mark(fromRootMark{}),
			"root":   cty.StringVal(".").Mark(fromRootMark{}),
			"cwd":    cty.StringVal(o.Cwd),
		})},
	}
}

// modulePath is path.module: a module's folder, relative to the configuration's.
func modulePath(top Options, dir string) string {
	rel, err := filepath.Rel(top.Dir, dir)
	if err != nil {
		return dir // both are relative to one folder, or one of them is absolute
	}
	return filepath.ToSlash(rel)
}
