package kind

import (
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// A Constraint is one thing that is demanded of a configuration before anything is
// sent, for the reference page.
type Constraint struct {
	Attr   string // "cors_rules.name"; "": the object as a whole
	Rule   string // what is demanded: a sentence without its period
	Source DocSource
	// Counterexample is what does not keep to it: arguments of a resource in HCL, which
	// stand beside whatever else is required. "": no single resource does.
	Counterexample string
	Warns          bool // it is a warning: B2 may take it
}

// A DocSource is where B2 says something.
type DocSource struct{ Name, URL string }

// TerraformArgHint is a word of the official Terraform provider's that has no single
// counterpart, and what to write instead.
type TerraformArgHint struct {
	Name          string
	InNestedBlock bool   // in a nested block, not in the resource itself
	Advice        string // a whole sentence
}

// B2formSource is the source of what b2form itself demands.
func B2formSource() DocSource { return DocSource{Name: "b2form"} }

// CheckNamePrefix warns of what begins file names only by mistake: B2 knows no
// wildcards ("Lifecycle Rules"), and no name starts with a slash ("Files").
func CheckNamePrefix(v cty.Value) Problems {
	var found Problems
	prefix := v.AsString()
	if strings.HasPrefix(prefix, "/") {
		found = Warnf("Prefix begins with a slash", "No file's name begins with a slash, so nothing matches %q. Write %q.", prefix,
			strings.TrimRight(strings.TrimLeft(prefix, "/"), "*"))
	}
	if strings.Contains(prefix, "*") {
		found = append(found, Warnf("Prefix holds a *", "B2 knows no wildcards here: %q matches names that begin with it, the * "+
			"included. Every name that begins with a text matches that text.", prefix)...)
	}
	return found
}
