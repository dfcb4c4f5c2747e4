package config

import (
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// A Policy is a rule over what is planned, as a user wrote it.
type Policy struct {
	Name  string
	Kinds []string // names of kinds; sorted
	// Warning says that a violation is a warning; else it is an error.
	Warning bool
	// NoExceptions says that no resource may be excepted from it.
	NoExceptions bool
	// FromPolicyDir says that it comes from a folder that was named beside the configuration.
	FromPolicyDir bool
	// SeesChange and SeesAccount say what of a plan it asks for. With SeesChange it is asked
	// about what is deleted, too.
	SeesChange, SeesAccount bool
	Range                   hcl.Range
}

// A PolicySubject is what policies judge: a declared resource, or an object that is to be
// deleted or forgotten.
type PolicySubject struct {
	Addr     addr.Addr
	Kind     *kind.Kind
	Resource *Resource      // nil: it is declared no more
	Change   *SubjectChange // nil: nothing was planned
}

// A SubjectChange is what a plan does to a subject.
type SubjectChange struct {
	Action           string    // as in plans: "create", "no-op"
	BeforeUnlessNoOp cty.Value // every attribute of the live object; null: there is none; NilVal: as it is declared
	KeptAttrs        []string  // attributes of Resource that stay as BeforeUnlessNoOp has them, whatever is declared
	Fields           []string  // attributes that differ
	Deletes          []DeletedObject
	Hazards          []string // by the spelling of -allow; sorted, each once
	Sensitive        []string // attributes that must not be shown
}

// A DeletedObject is a live object that goes with a change: the one that the change is about, or a predecessor.
type DeletedObject struct{ ID, Name string }

// A JudgePolicies judges subjects, which are sorted by address, by all policies of a
// configuration. account is that of the credentials; nil: nothing was planned, and policies
// that ask for what only a plan knows are left out.
type JudgePolicies func(subjects []PolicySubject, accountIfPlanned *wire.Account) hcl.Diagnostics

// A ViolationExtra is the Extra of a diagnostic about a resource that breaks a policy.
type ViolationExtra struct {
	Policy string
	Addr   addr.Addr
}

// An Exception is a policy that does not hold for a resource, and why.
type Exception struct {
	Policy string `json:"policy"`
	Reason string `json:"reason"`
}

// FilesWithoutPolicyDirs are Files without those of imposed policies, which make no other plan.
func (c *Config) FilesWithoutPolicyDirs() map[string]*hcl.File {
	files := maps.Clone(c.Files)
	for _, p := range c.Policies {
		if p.FromPolicyDir {
			delete(files, p.Range.Filename)
		}
	}
	return files
}
