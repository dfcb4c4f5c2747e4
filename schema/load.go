// Package schema reads a folder of HCL files and says what they declare: every
// resource evaluated, completed and checked against the descriptor of its kind.
//
// The walk, one file each: source.go finds and parses the files, declare.go
// turns blocks into declarations, variable.go gives variables their values,
// reference.go and graph.go find out what refers to what, scope.go answers
// references, resource.go and argument.go evaluate blocks by their descriptor,
// deliver.go, output.go and settings.go the rest. Whatever is wrong becomes a
// diagnostic with a place.
package schema

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/folder"
	"b2form/schema/functions"
	"b2form/schema/kind"
	"b2form/schema/parse"
	"b2form/schema/syntax"
)

// Options says what to load.
type Options struct {
	Dir                string // the configuration's folder; "" is "."
	Kinds              []*kind.Kind
	Version            string // of the program, for required_version; "": not checked
	Cwd                string // path.cwd: the folder in which the program was started
	FilesRoot          string // how far files may reach; "": to the git work tree around Dir
	HomeExcludedAsRoot string // the home folder of who runs the program, which is no such work tree; "": unknown

	// Env holds values of variables from the environment, by the variables'
	// names. What is not declared is passed over.
	Env []VariableValue
	// Vars holds values from the command line in the order given; later ones win.
	Vars []VariableValue
	// PlannedVariables holds values that a saved plan was made with: a variable of one of these names that is not
	// sensitive has it, and another value from elsewhere is an error.
	PlannedVariables map[string]cty.Value
	// Ask is asked for a variable that has no value; the answer is read like
	// that of -var. nil: a missing value is an error.
	Ask func(VariableQuestion) (string, error)
	// AllowUnsetVariables lets a variable without a value stand for any value of its type,
	// and asks nobody. What is made from it is not judged, and a block that is
	// repeated by it has no resources.
	AllowUnsetVariables bool
	// AccountDataIfNoConfig lets a folder without configuration be one that declares data about the whole
	// account, and nothing else.
	AccountDataIfNoConfig bool
	// AllowUndeclaredImports lets an import block name what nobody declares: Config.Imports holds it.
	AllowUndeclaredImports bool
	// MaxEvaluationSteps is how many steps evaluating the configuration may take; 0:
	// [parse.DefaultSteps]; below that: no bound.
	MaxEvaluationSteps int64
	// PolicyDirs are folders whose policies hold beside those of the configuration, which
	// cannot switch them off.
	PolicyDirs []string
	// Snapshot is what data blocks are answered from: it holds what Config.DataQueries of
	// a Load without it asks for. nil: what they answer stands for any value.
	Snapshot *kind.Snapshot
	// SensitiveLiveAttrs names the attributes of a live object that a data block must not show. nil: it shows all but secrets.
	SensitiveLiveAttrs func(*kind.Object) []string
}

// A VariableQuestion is a variable that somebody is asked for.
type VariableQuestion struct {
	Name, Description string
	Sensitive         bool // the answer must not be seen
}

// A VariableValue is one value from outside, or a file of values.
//
// An Expr, which must be a constant, stands for whatever type it has. Else for a variable of type string, number or
// bool, or without a type, Value is taken literally; for any other type, also any, it is an HCL expression.
type VariableValue struct {
	Name, Value    string
	VarFile        string         // -var-file: read instead of Name and Value
	VarFileContent []byte         // of File, where that was read already; nil: it is to be read
	Expr           hcl.Expression // instead of Value; nil: Value
	EnvName        string         // the whole name of the environment variable that holds it; "": EnvPrefix and Name
	OnlyIfDeclared *bool          // not nil: it is passed over where no variable has the name, and this is set where one has
}

// Load evaluates the configuration in Options.Dir. Diagnostics are sorted by
// file and place. The Config is never nil; with errors it holds what could be
// evaluated, and unknown values in it stand for what could not.
func Load(o Options) (*config.Config, hcl.Diagnostics) {
	l := newRootModule(o)
	if l.prepareFilesBoundary() && l.readConfigFiles() {
		l.readPolicyFolders()
		l.declareAndEvaluate()
		slices.SortFunc(l.config.Resources, func(a, b *config.Resource) int { return a.Addr.Compare(b.Addr) })
		l.checkIdentitiesAndAddNeeds()
		l.addAllPostconditionsAndDeliveries()
		l.checkNeedLoops()
		l.evaluateUnreferenceableBlocks()
		l.sortPoliciesAndCheckExceptions()
		l.refuseStateAndSecretReads()
		l.refuseStateHidingRules()
	}
	l.config.JudgeConditionsOfModules = l.judgeConditionsOfModules
	l.config.Eval, l.config.EvalWith, l.config.ValidReferences, l.config.Judge = l.evaluateText, l.evaluateWith, l.referenceNames, l.judge
	return l.config, l.report.sortedDiags()
}

// module is one run of Load, or what one instance of a module adds to it.
type module struct {
	Options
	*report
	shared         *sharedLoad
	caller         *caller // nil: this is the configuration itself
	addressPrefix  string  // addressPrefix of the module in addresses; "" of the configuration itself
	kinds          map[string]*kind.Kind
	config         *config.Config
	configBodies   []fileBody       // configuration files in order of their names
	autoValueFiles []hcl.Attributes // value files that are always read

	variables            map[string]*variable
	locals               map[string]*node
	blocks               map[blockName]*block
	calls                map[string]*moduleCall // modules by name
	data                 map[string]*dataBlock  // by address, as data.bucket.photos
	nodes                []*node                // variables, locals, blocks and modules, as declared
	outputs              []*output
	outputRanges         map[string]hcl.Range // by name
	checkAndPolicyRanges map[string]hcl.Range // of checks and policies, as check.private
	checks               []*check
	imports              []*hcl.Block
	declaredForImports   map[addr.Addr]*config.Resource
	moved                []*hcl.Block
	removed              []*hcl.Block
	policies             []*policy
	settings             *hcl.Block
	withoutConfig        bool // declareAccountData has declared all that there is

	baseContext *hcl.EvalContext // functions and path.*
	staticScope *scope           // computed attributes unknown

	validationsAfterLoad []validation // which need what B2 makes
}

func newRootModule(o Options) *module {
	if o.Dir == "" {
		o.Dir = "."
	}
	boundary, err := folder.NewBoundary(o.Dir, o.FilesRoot, o.HomeExcludedAsRoot)
	l := addNewModule(o, newReport(), &sharedLoad{moduleFolderByDir: map[string]*moduleFolder{}, rootOptions: o,
		metaSchema:          syntax.ResourceBlock().OptionalBodySchema(),
		resourcesWithErrors: map[addr.Addr]bool{}, hidingRules: map[addr.Addr]fileHidingRules{},
		blockCachesByKind:   map[*kind.Kind]*kindBlockTemplate{},
		cachedReferenceArgs: map[cachedReferenceListKey]*cachedReferenceList{},
		bodySchemas:         map[*kind.Attr]*hcl.BodySchema{},
		boundary:            boundary, filesRootErr: err, evalBudget: parse.NewBudget(o.MaxEvaluationSteps)})
	l.kinds = make(map[string]*kind.Kind, len(o.Kinds))
	l.config = &config.Config{Files: map[string]*hcl.File{}, NonsensitiveVariables: map[string]cty.Value{},
		SensitiveVariables: map[string]cty.Value{}}
	for _, k := range o.Kinds {
		l.kinds[k.Name] = k
	}
	from := l.folderOf(o.Dir)
	l.baseContext = newBaseContext(o, from, functions.All(from, l.shared.evalBudget))
	l.staticScope = newScope(l, l.report, nil)
	l.staticScope.deferredLinksUnknown = true
	return l
}

// addNewModule has what is every module's own, and is known to all.
func addNewModule(o Options, r *report, s *sharedLoad) *module {
	l := &module{
		Options:              o,
		report:               r,
		shared:               s,
		variables:            map[string]*variable{},
		locals:               map[string]*node{},
		blocks:               map[blockName]*block{},
		calls:                map[string]*moduleCall{},
		data:                 map[string]*dataBlock{},
		outputRanges:         map[string]hcl.Range{},
		checkAndPolicyRanges: map[string]hcl.Range{},
	}
	s.modules = append(s.modules, l)
	return l
}

// evaluateNodes works through variables, locals, blocks and modules, each after what
// it refers to.
func (l *module) evaluateNodes() {
	late := l.validateVariables()
	for _, n := range l.nodes {
		switch {
		case n.block != nil:
			l.evaluateBlock(n)
		case n.call != nil:
			l.evaluateModuleCall(n)
		case n.data != nil:
			l.evaluateData(n)
		case n.deferredLinksOf != nil:
			l.evaluateDeferredLinks(n)
		default:
			l.staticScope.nodeValue(n)
		}
	}
	for _, v := range late {
		l.checkOrDeferValidation(v)
	}
	for _, n := range l.nodes {
		if n.block != nil { // those of modules are there already
			l.config.Resources = append(l.config.Resources, n.block.resources...)
		}
	}
}

// toleratesUnknown reports whether a value that is not known may be anything, and is no
// error.
func (l *module) toleratesUnknown() bool { return l.AllowUnsetVariables || l.shared.hasPendingData }

// evaluateUnreferenceableBlocks evaluates what nothing refers to: outputs, checks, settings, and what
// becomes of objects beside what is declared.
func (l *module) evaluateUnreferenceableBlocks() {
	l.resolveOutputReferences()
	l.evaluateOutputs()
	sample := newSecretlessSample(l)
	sample.judgeConditionsOfModules()
	for _, o := range l.outputs {
		o.checkPreconditions(sample)
	}
	for _, m := range l.shared.modules {
		if m != l {
			m.staticScope.outputsObject() // also those that nothing refers to have to be right
		}
		m.resolveAndAddChecks()
		m.evaluateMoves()
		m.evaluateRemovals()
	}
	l.copySecretConditionErrors(sample.report)
	l.checkMoveLoops()
	l.checkRemovalsOfMoved()
	l.evaluateImports()
	l.evaluateSettings()
}
