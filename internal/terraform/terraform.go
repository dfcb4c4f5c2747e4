// Package terraform carries configurations over from Terraform and back: a pure function
// from the files and the state of the official provider for B2 to files and entries of
// b2form, and one from a resolved configuration to files for Terraform.
//
// A block is carried over whole or not at all: half of one would be planned as a change.
package terraform

import (
	"cmp"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/schema/addr"
	"b2form/schema/kind"
)

// A Source is one file as it was read.
type Source struct {
	Name string // without a folder; of a state as messages call it
	Text []byte
	Mode fs.FileMode // permissions that what is made from it gets
}

// A Request is what to carry over.
type Request struct {
	Kinds []*kind.Kind
	// ReadFiles reads the files of a folder that IsConfigOrTfvars tells of; dir is relative to that of the
	// configuration, which is ".". Its error ends everything.
	ReadFiles       func(dir string) ([]Source, error)
	State           *Source  // nil: there is none
	BackupsToSearch []Source // earlier states, which are only searched for secrets
	Workspace       string   // the workspace of Terraform that is carried over; "": nothing says which
	// SHA1OfFile is the SHA-1 in hexadecimal of a file that the module in a folder names, relative to the configuration's
	// folder. Its error says which cannot be read, and why.
	SHA1OfFile func(moduleDir, path string) (string, error)
	// HasFunction reports whether expressions may call a function.
	HasFunction func(name string) bool
	Now         time.Time // when the objects become ours
}

// A Result is what came of it. Paths are relative to the configuration's folder.
type Result struct {
	Files          []File            // to write, by path
	Entries        []addr.StateEntry // by address
	NotCarriedOver []Place           // what could not be carried over and is commented out or in the state only
	ChangedMeaning []Place           // what was carried over with another meaning
	Staying        []Place           // what other providers need, and stays as it is
	Secrets        []SecretInState   // that stand in states
	// StateRemovals are addresses that Terraform is to forget: what the entries came from.
	StateRemovals      []string
	KeepsStateInBucket bool // the state is to be kept in a bucket
	// RemoteState is what keeps Terraform's state elsewhere than in the file beside the configuration;
	// without a What there is nothing.
	RemoteState         Place
	HasOutputs          bool // the configuration has outputs
	UploadsChangedFiles bool // content changed since Terraform uploaded it, as listed in ChangedMeaning
	ShowsNamesForIDs    bool // what showed IDs shows names, as listed in ChangedMeaning
	HasUnsetVariables   bool // there are variables, listed in Changed, that wait for a value
}

// A File is one file to write.
type File struct {
	Path string
	Text []byte
	Mode fs.FileMode
	// SensitiveVariables are those that are declared so or become secrets, of which a value file holds values; sorted.
	SensitiveVariables []string
	source             string // what it is made from, with its folder
}

// A Place is something in a file and what is to be said of it.
type Place struct {
	File   string // "": in no file
	Line   int    // 0: the whole file
	Title  string // an address or the header of a block
	Remark string // whole sentences; "": nothing
}

// A SecretInState is one that a state holds in clear text. The secret itself is not kept.
type SecretInState struct {
	File         string // the state
	What         string
	HowToReplace string // the command, or what else replaces it
}

// IsConfigOrTfvars reports whether a file of this name is read, or said not to be.
func IsConfigOrTfvars(name string) bool {
	return !strings.HasPrefix(name, ".") && (isConfiguration(name) || isTfvarsFile(name) || isTerragruntFile(name))
}

func isTerragruntFile(name string) bool {
	return name == "terragrunt.hcl" || name == "terragrunt.hcl.json"
}

func isConfiguration(name string) bool {
	name = strings.TrimSuffix(name, ".json")
	return strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".tofu")
}

func isTfvarsFile(name string) bool {
	return strings.HasSuffix(name, ".tfvars") || strings.HasSuffix(name, ".tfvars.json")
}

// Migrate carries a configuration over. The error is about files that are not what
// Terraform reads, as hcl.Diagnostics, or that of Request.ReadFiles.
func Migrate(r Request) (*Result, error) {
	m := &migration{Request: r, modules: map[string]*module{}, byType: map[string]*kind.Kind{}, result: &Result{}}
	for _, k := range r.Kinds {
		m.byType[k.Terraform.Type] = k
	}
	var err error
	if r.State != nil {
		if m.state, err = parseState(r.State.Name, r.State.Text); err != nil {
			return nil, err
		}
	}
	if m.root, err = m.load(".", nil); err != nil {
		return nil, err
	}
	for _, mod := range m.calleesFirst {
		m.classifyItems(mod)
	}
	m.noteTerragrunt()
	m.decideStaying()
	m.leaveOverridden()
	objects := m.objectsOfItems()
	m.leaveTwins(objects)
	m.checkSources(objects)
	m.recordFlows()
	m.rewriteAll()
	m.noteUncarriedSecretReaders()
	for _, mod := range m.calleesFirst {
		m.writeModule(mod)
	}
	m.carryStateAndSearchSecrets()
	for _, b := range r.BackupsToSearch {
		m.reportSecretsInBackup(b)
	}
	m.result.HasOutputs = slices.ContainsFunc(m.root.items, func(it *item) bool {
		return it.block.Type == "output" && it.fate == carried
	})
	m.sortResult()
	return m.result, m.checkOneSourcePerFile()
}

// A migration is one run of Migrate.
type migration struct {
	Request
	byType                  map[string]*kind.Kind // by the provider's names
	modules                 map[string]*module    // by folder
	calleesFirst            []*module             // callers after what they call
	root                    *module
	state                   *stateFile // nil: there is none
	result                  *Result
	recording               bool    // nothing is written, only noted where values go
	changedMeaningThisRound []Place // of the last round of rewriting
	notCarriedThisRound     []Place // what of carried blocks is left, in the last round
}

func (m *migration) noteChangedMeaning(p Place) {
	m.changedMeaningThisRound = append(m.changedMeaningThisRound, p)
}

// A module is a folder of files.
type module struct {
	dir             string
	files           []*sourceFile
	tfvarsFiles     []Source
	items           []*item
	byReferenceName map[string]*item // by address; of local values local.NAME and so on
	terragruntFile  string           // "": there is none
	overrides       map[string]*item // what override files say of items, by address
	callers         []*item          // that call it
	holdsB2         bool             // something of B2, also in modules that it calls
	substitutes     map[string]*substituteVariable
}

// A fate is what becomes of an item.
type fate int

const (
	carried          fate = iota
	staysInTerraform      // it belongs to other providers, or serves them alone
	uncarriable           // it cannot be carried over
	dropped               // it is not needed any more
)

// An item is a block of the top level, or one local value.
type item struct {
	module        *module
	file          *sourceFile
	referenceName string // as references call it: "b2_bucket.logs", "local.name"; "": nothing refers to it
	block         *hclsyntax.Block
	localAttr     *hclsyntax.Attribute // of a local value; block is then all of them
	kind          *kind.Kind           // of a resource, and of data
	callee        *module              // of a call of a local module
	refs          []hcl.Traversal

	fate                fate
	flow                valueFlow // of a resource and of a call: of each.value
	notCarriedReason    string
	edits               []edit
	keysOfReadSecrets   []*item  // keys whose secrets it reads
	secretReaders       []string // of a key: what of its module reads its secret; of a call: what reads secrets of keys behind it
	substituteArguments []string // of a call: arguments for what stands in for resources that stay
}

// title is what messages call an item.
func (it *item) title() string {
	switch {
	case it.referenceName != "":
		return it.referenceName
	case len(it.block.Labels) > 0:
		return it.block.Type + " \"" + strings.Join(it.block.Labels, `" "`) + "\""
	}
	return it.block.Type
}

// extent is where an item stands.
func (it *item) extent() hcl.Range {
	if it.localAttr != nil {
		return it.localAttr.SrcRange
	}
	return blockRange(it.block)
}

func blockRange(b *hclsyntax.Block) hcl.Range {
	return hcl.RangeBetween(b.TypeRange, b.CloseBraceRange)
}

// place is where an item stands, for the reader.
func (it *item) place(why string) Place { return it.file.place(it.extent(), it.title(), why) }

// checkOneSourcePerFile refuses files of which each would be written over another one.
func (m *migration) checkOneSourcePerFile() error {
	for i, f := range m.result.Files {
		if i > 0 && m.result.Files[i-1].Path == f.Path {
			return failf("Two files would become one", "%s and %s would both be written as %s, and nothing was written. Give one of them "+
				"another name, put what it holds into the other one, or move it away if it is not to be carried over.",
				m.result.Files[i-1].source, f.source, f.Path)
		}
	}
	return nil
}

// sortResult puts everything into the order in which it is shown.
func (m *migration) sortResult() {
	byPlace := func(a, b Place) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), strings.Compare(a.Title, b.Title))
	}
	for _, list := range []*[]Place{&m.result.NotCarriedOver, &m.result.ChangedMeaning, &m.result.Staying} {
		slices.SortStableFunc(*list, byPlace)
		*list = slices.Compact(*list) // a line that refers twice to one thing
	}
	slices.SortStableFunc(m.result.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(m.result.Entries, func(a, b addr.StateEntry) int { return a.Addr.Compare(b.Addr) })
	slices.Sort(m.result.StateRemovals)
}
