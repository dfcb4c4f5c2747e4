package kind

import (
	"strings"

	"b2form/schema/wire"
)

// A LintRuleName stands for something about credentials that deserves a look.
type LintRuleName string

// What a configuration may deny: credentials wider than most programs need, and such as
// most programs cannot use.
const (
	AllBucketsWrite LintRuleName = "all-buckets-write"
	ManagesKeys     LintRuleName = "manages-keys"
	masterKey       LintRuleName = "master-key"
	NoExpiry        LintRuleName = "no-expiry"
	NoListBuckets   LintRuleName = "no-list-buckets"
)

// DeniableRules lists the rules that a configuration may deny. Those that find what most
// programs cannot use warn where it neither denies nor ignores them.
func DeniableRules() (wide, unusable []LintRuleName) {
	return []LintRuleName{AllBucketsWrite, ManagesKeys, masterKey, NoExpiry}, []LintRuleName{NoListBuckets}
}

// A Finding is one thing that a rule found, in words.
type Finding struct {
	Rule   LintRuleName `json:"rule"`
	Detail string       `json:"detail"` // a sentence without its period
	// Attr is the attribute to change; "" where it is about the whole object.
	Attr string `json:"-"`
}

// LintMasterKey names what is wider about the credentials in use than most runs need.
func LintMasterKey(a *wire.Account) []Finding {
	if a.KeyID != a.ID {
		return nil
	}
	return []Finding{{Rule: masterKey, Detail: "the credentials in use are the master key, which may do everything; make an application " +
		"key for b2form"}}
}

// deleted is how a reference shows whose object is gone.
const deleted = "(deleted "

// IsDeletedRef reports whether a decoded reference is to an object that is gone.
func IsDeletedRef(ref string) bool { return strings.HasPrefix(ref, deleted) }
