// Package config is what a configuration is once it is evaluated, as data.
package config

import (
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// A Config is what the user wants, evaluated.
type Config struct {
	Resources                 []*Resource          // sorted by address
	AddrsWithUnknownInstances []addr.Addr          // blocks and modules of which nobody knows yet which instances they have
	Outputs                   []*Output            // sorted by name
	DataQueries               []DataQuery          // what data blocks ask for
	Checks                    []*Check             // in order of their files and lines
	Imports                   []Import             // in order of their files and lines
	Moves                     []Move               // likewise; no two concern one address, and they form no cycle
	Removals                  []Removal            // likewise
	Policies                  []*Policy            // sorted by name
	Judge                     JudgePolicies        // by Policies
	Settings                  Settings             // the b2form block
	NonsensitiveVariables     map[string]cty.Value // values of those that are not sensitive; none that modules have
	// for showing source lines; by name as in ranges. Value files are not among them: they may hold secrets
	Files map[string]*hcl.File
	// SensitiveVariables are the values of the other variables: to be compared, never to be shown or stored.
	SensitiveVariables map[string]cty.Value

	// Eval evaluates one expression that may refer to all that outputs may. name
	// stands for the source in diagnostics. live answers for computed attributes;
	// nil: they are unknown. Unknown parts and sensitive ones keep their marks.
	Eval func(source, name string, live LiveLookup) (cty.Value, hcl.Diagnostics)
	// EvalWith is Eval of an expression that may refer to further values, by their names.
	EvalWith func(e hcl.Expression, further map[string]cty.Value, live LiveLookup) (cty.Value, hcl.Diagnostics)
	// JudgeConditionsOfModules reports what does not hold, as far as that is known, of the conditions that neither a resource, a check
	// nor an output of Outputs has: validations that need what B2 makes, and preconditions of outputs of modules.
	JudgeConditionsOfModules func(LiveLookup) hcl.Diagnostics
	// ValidReferences is what such an expression may refer to: "var.site", "bucket.photos". Sorted.
	ValidReferences func() []string
}

// ResourcesByAddr are the declared resources by their addresses.
func (c *Config) ResourcesByAddr() map[addr.Addr]*Resource {
	byAddr := make(map[addr.Addr]*Resource, len(c.Resources))
	for _, r := range c.Resources {
		byAddr[r.Addr] = r
	}
	return byAddr
}

// FindResource is what is declared at an address; nil: nothing.
func (c *Config) FindResource(a addr.Addr) *Resource {
	if i := slices.IndexFunc(c.Resources, func(r *Resource) bool { return r.Addr == a }); i >= 0 {
		return c.Resources[i]
	}
	return nil
}

// Settings is the b2form block.
type Settings struct {
	AccountID string            // refuse any other account; "": any
	Allow     []kind.HazardKind // hazards carried out without asking
	Backend   Backend
	Limits    []ChangeLimit       // each action once
	Deny      []kind.LintRuleName // what is an error in plans; sorted
	Ignore    []kind.LintRuleName // what is not warned of; sorted
	Range     hcl.Range
}

// A ChangeLimit is how often one run does something at most where nobody is asked.
type ChangeLimit struct {
	Action    string // one of LimitableActions
	Most      int
	IsPercent bool // Most is per cent of the objects that the state records
	Range     hcl.Range
}

// LimitableActions are what a limit may be set for: destroy counts replacements too.
func LimitableActions() []string { return []string{"destroy", "update", "replace"} }

// A Backend says where the state is kept.
type Backend struct {
	Type string // label of the block: "b2"; "": there is none, so in the usual file
	// Arguments are those that the block sets, and the defaults of others.
	Arguments map[string]string
	// UsesVariables says that the arguments are known and use variables or locals, so that one folder may have several states.
	UsesVariables bool
	Range         hcl.Range
}

// DefaultState is the file of a state where nothing is said, in the configuration's
// folder. Files that belong to it are called so too, with a period and more behind it.
const DefaultState = "b2form.state.json"

// DefaultPrefix is what the names of a state's objects in a bucket begin with
// where nothing is said.
const DefaultPrefix = "b2form/"

// A Resource is one declared object.
type Resource struct {
	Addr          addr.Addr
	Kind          *kind.Kind
	Value         kind.Values  // every attribute that can be set, completed and normalised; null: undeclared
	Needs         []addr.Addr  // what it refers to, directly; sorted
	DeferredNeeds []addr.Addr  // what only attributes refer to that are set last, directly; sorted. See kind.Attr.IsDeferredLink
	Block         *BlockRanges // shared by all instances of the block

	PreventDestroy bool
	Exceptions     []Exception // sorted by policy
	IgnoreChanges  []string    // attribute names; sorted
	SensitiveAttrs []string    // attributes made from sensitive values; sorted. Value itself carries no marks
	Deliveries     []Delivery
	Payload        *wire.Payload // what a file is to hold; nil where the kind has no Content
	// Postconditions reports those that do not hold, as far as that is known; nil: there are none.
	Postconditions func(live LiveLookup) hcl.Diagnostics
}

// Identity is the value under which the live object is found.
func (r *Resource) Identity() string { return r.Kind.IdentityOf(r.Value) }

// MatchesIdentityIgnoringTimestamp reports whether an object with an identity may be the declared one: in a
// rotation its name has a time behind it.
func (r *Resource) MatchesIdentityIgnoringTimestamp(identity string) bool {
	identity = r.Kind.NormalizeIdentity(identity)
	if name, _, ok := kind.ParseTimestampedName(identity); ok && r.Kind.Credential != nil && name == r.Identity() {
		return true
	}
	return identity == r.Identity()
}

// KeepsLive reports whether an attribute is left as it is live, whatever is declared.
func (r *Resource) KeepsLive(a *kind.Attr) bool {
	return a.KeepLive && r.Value.GetAttr(a.Name).IsNull() || slices.Contains(r.IgnoreChanges, a.Name)
}

// BlockRanges is where a resource was written.
type BlockRanges struct {
	HeaderRange hcl.Range // of the header: bucket "photos"
	// ArgRange is that of an attribute or its first nested block, of prevent_destroy or of
	// policy_exceptions; ok is false where it is not written. nil: nothing is.
	ArgRange func(name string) (r hcl.Range, ok bool)
	// Locate finds the smallest piece written that a path into the attributes leads to;
	// nil: nothing finer than ArgRange is known.
	Locate func(cty.Path) hcl.Range
}

// RangeAt is the place of what a path into the attributes leads to, as far as it is written
// out.
func (b *BlockRanges) RangeAt(path cty.Path) hcl.Range {
	if b.Locate != nil {
		return b.Locate(path)
	}
	if len(path) == 0 {
		return b.HeaderRange
	}
	first, _ := path[0].(cty.GetAttrStep)
	return b.RangeOf(first.Name)
}

// RangeOf is the place of an attribute; of the block where it is not written.
func (b *BlockRanges) RangeOf(attr string) hcl.Range {
	if b.ArgRange != nil {
		if r, ok := b.ArgRange(attr); ok {
			return r
		}
	}
	return b.HeaderRange
}

// A LiveLookup answers with an object's computed attributes, by their HCL names, as
// far as they are known, and with those that are not as they are declared; ok is false
// where the object is not live.
type LiveLookup func(addr.Addr) (computedOrDiffering map[string]cty.Value, ok bool)

// A Delivery is one place where a new secret goes.
type Delivery struct {
	Type        string // "age", "command", "file", "stdout"
	Path        string // age, file: absolute, or relative to the working folder
	DisplayName string // the destination in words, for people: "photos-plus.env"
	Format      string // "env", "json", "rclone", "aws"; "" where Content is set, or nothing is written
	// RenderContent renders the user's own template: self holds application_key and
	// application_key_id. nil: Format decides.
	RenderContent func(self map[string]cty.Value, live LiveLookup) (string, hcl.Diagnostics)
	// Recipients are who can read an age file: public keys, at least one.
	Recipients []string
	// Command is a program and its arguments; it reads what is delivered from its
	// standard input, runs in the folder Dir, and may take as long as Timeout (0: for ever).
	Command        []string
	ProgramDir     string
	ProgramTimeout time.Duration
	// ShowProgramOutput says that what the program says may be shown where it fails.
	ShowProgramOutput bool
	// RenderEnvironment renders variables that the program gets beside the inherited
	// ones; self is as in Content. nil: there are none.
	RenderEnvironment func(self map[string]cty.Value, live LiveLookup) (map[string]string, hcl.Diagnostics)
	// HasOtherSensitive says that other sensitive values than the secret are delivered with
	// it, or may be, so that nothing a program says may be repeated.
	HasOtherSensitive bool
	// SettingsDigest identifies how the secret is delivered, so that a changed delivery
	// is noticed. It depends on no secret and on no computed value.
	SettingsDigest string
	// EarlierDigests identify the same delivery as earlier releases did: what was delivered by
	// one of them is not delivered anew.
	EarlierDigests []string
	// ApprovalDigest identifies all that whoever approves the delivery approves: beside the settings what it may come to,
	// whatever the secret is. Where HasOtherSensitive, sensitive values take part in it. "": SettingsDigest does.
	ApprovalDigest string
	// FileDigest identifies the file that is written, in whatever form, wherever the configuration's folder is; "": none is.
	FileDigest string
	// HoldsIDsOf are the other objects of which something is delivered that changes when they
	// are made anew; sorted.
	HoldsIDsOf []addr.Addr
	Range      *hcl.Range // of the block
}

// An Output is one output block.
type Output struct {
	Name, Description string
	Sensitive         bool
	Range             hcl.Range
	Needs             []addr.Addr // the resources that it is made from; sorted
	// Value evaluates the output; what is not live yet is unknown in it.
	Value func(live LiveLookup) (cty.Value, hcl.Diagnostics)
}

// A DataQuery is something live that an evaluation needs to know.
type DataQuery struct {
	Kind     *kind.Kind          // nil: only the account
	Identity string              // in its normal form; "": every object of the kind may matter
	Children kind.ChildListQuery // instead, of a kind with Parent.ListChildren; zero: none
	RemoteID string              // instead; "": none
	DataAddr string              // of the block that asks: "data.bucket.photos"
	Range    hcl.Range           // its header
}

// A Check is one check block: something that is watched and stops nothing.
type Check struct {
	Name  string // as a user writes it: "check.private"
	Range hcl.Range
	// Evaluate warns of what does not hold; what is not live yet is not judged, and known is false where something is not.
	Evaluate func(live LiveLookup) (failed hcl.Diagnostics, known bool)
}

// UserMessageExtra is the Extra of a diagnostic that is shown also beside
// others with the same summary: its words are the user's own.
type UserMessageExtra struct {
	// Instance is the address of the instance of a block whose condition does not hold; texts say that once of one
	// condition and list the instances. "": another condition.
	Instance string
}

// A SecretFreeExtra is the Extra of an error about what a delivery renders: why, in words that hold nothing of the secret, without
// a full stop.
type SecretFreeExtra struct{ Reason string }

// A SharedCauseExtra is the Extra of an error about one of several objects that have it for the same reason: texts
// say it once and list them.
type SharedCauseExtra struct{ AffectedAddr addr.Addr }

// A WhenSetExtra is the Extra of a warning about what an attribute of a block would be set to: it does not hold where that is live
// already.
type WhenSetExtra struct {
	Block hcl.Range // the block's header
	Attr  string
}

// AffectedAddrText is the address of the object, or of the instance of a block, that a diagnostic is about; "": of none.
func AffectedAddrText(d *hcl.Diagnostic) string {
	switch about := d.Extra.(type) {
	case addr.Addr:
		return about.String()
	case UserMessageExtra:
		return about.Instance
	case SharedCauseExtra:
		return about.AffectedAddr.String()
	case ViolationExtra:
		return about.Addr.String()
	}
	return ""
}

// An Import is one import block: take over the live object with this identity
// or remote ID; or those of a rotation, of which the newest is current.
type Import struct {
	To                     addr.Addr
	IDOrIdentity           string   // "": IDs
	SiblingIDsOrIdentities []string // each an identity or a remote ID
	Range                  hcl.Range
}

// Matches reports whether the block names a live object.
func (i *Import) Matches(k *kind.Kind, id, identity string) bool {
	names := func(s string) bool { return s == id || s != "" && k.NormalizeIdentity(s) == identity }
	return names(i.IDOrIdentity) || slices.ContainsFunc(i.SiblingIDsOrIdentities, names)
}
