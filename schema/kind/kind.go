// Package kind is the descriptor of a kind of B2 resource: how its attributes are
// named in HCL and on the wire, what they mean, and what can be done with its
// objects. Live objects, which are read by it, are here too.
//
// A Kind is a value, not an interface: a list of attributes and four verbs.
// Everything that knows about attributes — decoding with source ranges, "did
// you mean", defaults, request bodies, reading replies, comparing, redacting,
// rendering, documentation, random values for tests — reads the descriptor, so
// an attribute is named in one place.
package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/wire"
)

// A Kind describes one kind of B2 resource.
type Kind struct {
	Name                string // block type: "bucket"
	Plural              string // for messages: "buckets"
	Doc                 string // one paragraph for the reference page
	Example             string // a complete HCL block for the reference page
	Terraform           Terraform
	Attrs               []Attr       // in the order in which they are shown
	IdentityAttr        string       // the attribute whose value is unique in a configuration and finds the live object: "name"
	FoldCaseBeforeSlash bool         // identities that differ only in case are one; with ScopeAttr, parents that do
	NamesRepeat         bool         // B2 lets several objects share an identity, so that an ID does not follow from it
	IDAttr              string       // the computed attribute that holds the remote ID
	ReadCapabilities    []string     // capabilities that listing needs, for messages
	Constraints         []Constraint // what is demanded of a configuration, by attribute
	// Replaceable says that another value of an Immutable attribute, or another
	// identity, makes another object, whereupon this one is deleted. Else it is refused.
	Replaceable bool
	Destroy     DestroyBehavior
	Parent      *Parent         // nil: an object of this kind stands alone
	Content     *ContentAttrs   // nil: the objects hold nothing that a configuration gives
	Credential  *CredentialKind // nil: creating an object yields no secret

	// DeriveAttrs derives attributes from one another after defaults are filled in:
	// v holds every configuration attribute and is changed in place. May be nil.
	DeriveAttrs func(v Values)
	// Check judges what no single attribute can: v is the completed object.
	Check func(v Values) Problems
	// CheckChange judges a step from a live object to a wanted one that validation
	// cannot know: before is a null value when the object is being created.
	CheckChange func(before, after cty.Value) Problems
	// CheckLive says what deserves a look about a decoded live object that is declared;
	// all of it is warnings. May be nil.
	CheckLive func(live AttrReader) Problems
	// Volatile names the computed attributes of a live object that b2form itself
	// changes while it holds a lock, so that a plan does not depend on them. May be
	// nil.
	Volatile func(live map[string]any) []string
	// AllowedObjects lists the objects of this kind that the credentials in use are limited
	// to; limited is false where they see all. nil: they never are.
	AllowedObjects func(account *wire.Account) (allowed []wire.AllowedBucket, limited bool)
	Verbs
}

// Terraform is what the official provider calls a kind.
type Terraform struct {
	Type  string             // "b2_bucket"; "": it has none
	Hints []TerraformArgHint // its words beside those that attributes know
}

// A Parent is the object that another one belongs to, as a bucket is of its files
// and of its notification rules. Identities and remote IDs of children begin with
// the parent's.
type Parent struct {
	// Attr is the attribute that names the parent: "bucket". If it is not the IdentityAttr
	// itself, that is unique within the parent only, and what identifies the object is
	// both with a slash between: "acme-site/index.html".
	Attr string
	// ListChildren lists children of one parent, by name, as a ChildListQuery asks for them, with the
	// folders among them and whether there are more. nil: nobody can ask for that.
	ListChildren func(ctx context.Context, api wire.API, parentID string, l ChildListQuery) (list []wire.RawJSON, folders []string,
		more bool, err error)
}

// A CredentialKind is a kind whose objects are credentials: creating one yields a secret
// once, which `deliver` blocks take somewhere. Everything is set.
type CredentialKind struct {
	// Rotation reads how the object that v declares rotates; ok is false where it does
	// not. v is the completed configuration.
	Rotation func(v AttrReader) (r Rotation, ok bool)
	// ExpiryAttr is the computed attribute, a time, that says when a live object ends by
	// itself; null: never.
	ExpiryAttr string
	// CreatedAt says when B2 made an object, by B2's own clock, as far as what was
	// wanted and what is live tell; zero: they do not.
	CreatedAt func(want, live AttrReader) time.Time
	// Life says how long an object lives that a completed configuration declares; 0: for ever.
	Life func(want AttrReader) time.Duration
	// Reach says what a completed configuration is limited to: the names of buckets
	// (none: every bucket) and a prefix of file names, as values hold it: see [wire.EscapeNonNFC].
	Reach func(v AttrReader) (bucketsUnlessAll []string, namePrefix string)
	// DiffGrant compares what credentials may do, by B2's own word, with the object
	// that was to yield them: it names the attributes that differ.
	DiffGrant func(want cty.Value, granted *wire.Account) []string
	// Lint names what is wider about credentials than most programs need. want is a
	// completed configuration, live a decoded object; one of them may be null.
	Lint func(want, live AttrReader) []Finding
	// ReplaceDerivedByShorthand puts attributes in the place of those that Kind.DeriveAttrs derives from
	// them, where that says the same in fewer words. v is changed in place.
	ReplaceDerivedByShorthand func(v Values)
	// LimitLife sets that an object lives so long, or up to a day longer where that is a rounder number. v is
	// changed in place.
	LimitLife func(v Values, life time.Duration)
	// UnusableFindings names what keeps most programs from using the credentials that a
	// completed configuration declares. It is asked for every one of them.
	UnusableFindings func(want AttrReader) []Finding
}

// Verbs are what can be done with the objects of a kind.
type Verbs struct {
	// List reads the live objects.
	List func(ctx context.Context, api wire.API, scope ListFilter) ([]wire.RawJSON, error)
	// Create makes the object and returns it as B2 answers it. NameTakenCode is B2's code
	// for a name that is in use; "": names are free.
	NameTakenCode string
	Create        func(ctx context.Context, c VerbInput) (json.RawMessage, error)
	// Update changes an object in place. nil: every change replaces it, the new
	// object first, then the old one is deleted.
	Update func(ctx context.Context, c VerbInput) (json.RawMessage, error)
	// WriteCapability is what creating and updating take, DeleteCapability what deleting does.
	WriteCapability, DeleteCapability string
	// FullUpdate says that an update sends every attribute, not only those that changed.
	FullUpdate bool
	// Delete removes the object; one that is gone already is a success.
	Delete func(ctx context.Context, c VerbInput) error
}

// An Attr is the only place that knows one attribute.
type Attr struct {
	Name          string // in HCL
	WirePath      string // member of the request body, dots for nesting ("period.unit"); "": never sent
	TerraformName string // the name in the official Terraform provider when it is not Name
	Doc           string
	GuidePage     string // a page of docs that says more of a top-level attribute, without its ending; "": none

	Type   cty.Type // of a leaf
	Object []Attr   // members of a nested object; Type stays empty
	Many   bool     // a list of such objects, written as repeated blocks or as a list

	Required  bool
	Computed  bool      // made by B2; may stand only in outputs and deliveries
	Secret    bool      // its value is shown nowhere; with Computed: exists only in the reply to a create
	Default   cty.Value // what leaving it out means; NilVal: null, that is "none"
	KeepLive  bool      // leaving it out means: leave B2's value alone
	Immutable bool      // cannot change on a live object: another value is another object
	// set by an update after the create, since B2 refuses it there or because of what it names (see IsDeferredLink)
	Deferred        bool
	ReadCapability  string // without it B2 hides the live value; "": never hidden
	WriteCapability string // without it B2 refuses a request that sets the attribute; "": that of the kind is enough

	Encoding Encoding    // where the wire differs from the plain encoding of Type at WirePath
	Compare  Compare     // what equality means beside that of values
	Link     Link        // what the attribute refers to; zero: nothing
	Samples  []cty.Value // legal values, for documentation and random configurations
	// Check judges a known, non-null value. Paths are relative to the attribute.
	Check func(cty.Value) Problems
	// Hazards says what going from before to after may cost. before is
	// cty.NilVal when the object is being created.
	Hazards func(before, after cty.Value) []Hazard
	// Note explains a value in a few words ("keep only the last version").
	Note func(cty.Value) string
	// WebConsoleName is what the web console calls a list, which stands for it where room is
	// scarce; "": nothing. May be nil.
	WebConsoleName func(cty.Value) string
	// FromAccount computes the attribute from the account instead of the object.
	FromAccount func(*wire.Account) cty.Value
}

// An Encoding is how the wire differs from the plain encoding of an attribute.
type Encoding struct {
	ReadPath            string // path in the live object when it is not WirePath
	SingleValueReadPath string // where older API versions show a list of at most one as a single value
	// AbsentIsNull says that B2 answers the member for every object, so that one
	// without it has no value; else a scalar that is absent has its Default.
	AbsentIsNull bool
	ClearWith    any  // what clears it on the wire, where null means "not given"
	IsUnixMillis bool // of a number: milliseconds since 1970, in UTC
	AsMap        bool // of Many objects with two members: the wire has one object, from first members to second ones
	// Encode replaces the plain encoding of a known, non-null value. May be nil.
	Encode func(cty.Value) any
	// ShowsKnownAfterApply reports whether it is worth telling that B2 will make the attribute of
	// an object that is wanted: that it may have a value, and not always the same one.
	// nil: it is.
	ShowsKnownAfterApply func(want AttrReader) bool
	// LiveText says in a few words what a decoded live object shows in place of the
	// attribute, where B2 does not answer the value that was sent. May be nil.
	LiveText func(live AttrReader) string
}

// A Compare is what equality of an attribute means beside that of values. Each may
// be nil.
type Compare struct {
	// Normalize brings a value into the one form in which two are compared.
	Normalize func(cty.Value) cty.Value
	// StripB2formData takes out of a live value what b2form itself keeps there, which is
	// nobody's setting.
	StripB2formData func(live cty.Value) cty.Value
	// Equal decides where plain equality does not: values that are given on both
	// sides and equal are the same without it.
	Equal func(Comparison) bool
}

// A Link is what makes an attribute refer to other objects.
type Link struct {
	RefKind string // the kind whose name the attribute holds; the wire carries its ID. "": none
	// IsRemoteID recognises remote IDs, which may be of other accounts: they stand for
	// themselves. nil: the attribute holds names only.
	IsRemoteID func(text string) bool
	// CheckTarget judges what a declared object that a reference in the attribute leads
	// to is to the object that has it. Paths do not matter. May be nil.
	CheckTarget func(by, target AttrReader) Problems
	// MemberSetFirst is, of an object with members that refer, the one that must be in place before others may refer to what
	// has it: where such objects refer to each other it is set by an update of its own. "": none.
	MemberSetFirst string
}

// A Comparison is what an Attr's Equal compares.
type Comparison struct {
	Want, Live AttrReader       // whole objects: completed configuration; decoded live object
	Entry      *addr.StateEntry // what the state knows; nil: nothing
	// IsMadeAnew says that another object takes the place of Live, so that what is only let pass in one that stays differs.
	IsMadeAnew bool
}

// A ListFilter narrows what List reads.
type ListFilter struct {
	Account *wire.Account
	// IncludeMultiBucketKeys asks for what only the newest API version lists (keys limited to
	// several buckets) beside the rest.
	IncludeMultiBucketKeys bool
	// WantedChildIDs, when not empty, names the identities of interest. List may return more.
	// To a kind with a ParentKind it is the remote IDs of all that may matter.
	WantedChildIDs []string
}

// A VerbInput is what a verb gets. Bodies hold wire members only, with references
// resolved to IDs.
type VerbInput struct {
	API      wire.API
	ID       string                 // remote ID; "" on create
	Live     map[string]any         // the live object as last read; nil on create
	Body     map[string]any         // what to send: everything on create but what comes later, what changed on update
	Payload  *wire.Payload          // what the file is to hold; nil where the kind has no Content
	Force    bool                   // delete: with everything it holds
	Progress func(removedSoFar int) // delete with Force; may be nil
	// Sleep pauses a delete between looks for what B2 says is gone and still lists; it returns after d, or earlier with an error.
	// nil: there is one look.
	Sleep func(ctx context.Context, d time.Duration) error
}

// A Problem is one thing wrong with a value. The loader gives it a place.
type Problem struct {
	Path           cty.Path
	Warning        bool
	OnlyWhenSet    bool   // of a warning: it is about setting the value, and says nothing of one that is live already
	CrossAttribute bool   // it was found by looking at several attributes, and its words may repeat any of them
	Summary        string // "Invalid bucket name"
	Detail         string // what is wrong and what to do; whole sentences
}

// Attr is the name of the attribute that the problem lies in; "": it names none.
func (p *Problem) Attr() string {
	if len(p.Path) > 0 {
		if step, ok := p.Path[0].(cty.GetAttrStep); ok {
			return step.Name
		}
	}
	return ""
}

// Problems is a list of them; nil means fine.
type Problems []Problem

// PrefixPaths returns the problems with path in front of their own.
func (ps Problems) PrefixPaths(path cty.Path) Problems {
	for i := range ps {
		ps[i].Path = append(append(cty.Path{}, path...), ps[i].Path...)
	}
	return ps
}

// Errorf is one error without a path.
func Errorf(summary, detail string, args ...any) Problems {
	return Problems{{Summary: summary, Detail: fmt.Sprintf(detail, args...)}}
}

// Warnf is one warning without a path.
func Warnf(summary, detail string, args ...any) Problems {
	return Problems{{Warning: true, Summary: summary, Detail: fmt.Sprintf(detail, args...)}}
}

// A HazardKind names what a change may cost. The list is closed.
type HazardKind string

// The hazards. -allow takes their names with dashes for spaces.
const (
	DeletesData       HazardKind = "deletes data"
	ExposesFiles      HazardKind = "exposes files"
	WeakensProtection HazardKind = "weakens protection"
	RevokesAccess     HazardKind = "revokes access"
	AccountWide       HazardKind = "account-wide access"
	Irreversible      HazardKind = "irreversible"
	SendsFiles        HazardKind = "sends files to another account"
	// ReplacesLocalFiles is no hazard in B2: a secret goes to a file that somebody else may have written.
	ReplacesLocalFiles HazardKind = "replaces local files"
)

// HazardKinds lists them all.
func HazardKinds() []HazardKind {
	return []HazardKind{AccountWide, DeletesData, ExposesFiles, Irreversible, ReplacesLocalFiles, RevokesAccess, SendsFiles,
		WeakensProtection}
}

// AllowFlagValue is the hazard's spelling on the command line: "deletes-data".
func (h HazardKind) AllowFlagValue() string { return strings.ReplaceAll(string(h), " ", "-") }

// NeedsAllow reports whether -auto-approve alone does not carry it out.
func (h HazardKind) NeedsAllow() bool { return h != RevokesAccess && h != AccountWide }

// A Hazard is one cost of one change, in words.
type Hazard struct {
	Kind   HazardKind `json:"kind"`
	Detail string     `json:"detail"` // "every file becomes readable by anyone"
	// UnlessAccountHasID and UnlessAccountHasKind, where set, are the remote ID and the kind of an object. The change costs
	// this only if the account has no such object, as far as the credentials see.
	UnlessAccountHasID   string `json:"-"`
	UnlessAccountHasKind string `json:"-"`
}

// YieldsSecret reports whether creating an object yields a secret.
func (k *Kind) YieldsSecret() bool { return k.Credential != nil }

// ScopeAttr is the attribute that names the parent, where an identity is unique
// within that only; "": identities are unique by themselves.
func (k *Kind) ScopeAttr() string {
	if k.Parent == nil || k.Parent.Attr == k.IdentityAttr {
		return ""
	}
	return k.Parent.Attr
}

// ParentKind is the kind of the parents of the objects; "": they have none.
func (k *Kind) ParentKind() string {
	if k.Parent == nil {
		return ""
	}
	return k.FindAttr(k.Parent.Attr).Link.RefKind
}

// ParentIdentity is the identity of the parent of an object with the identity, and the
// remote ID of the parent of one with the remote ID. Neither has a slash.
func (k *Kind) ParentIdentity(identity string) string {
	if k.ScopeAttr() == "" {
		return identity
	}
	parent, _, _ := strings.Cut(identity, "/")
	return parent
}

// ChildID is the remote ID of a child with the identity, where parentID is that of
// its parent. B2 has IDs for the versions of a file only, which change with every
// upload: what a file is known by is the bucket and the name.
func (k *Kind) ChildID(identity, parentID string) string {
	if k.ScopeAttr() == "" {
		return parentID
	}
	_, name, _ := strings.Cut(identity, "/")
	return parentID + "/" + name
}

// BlockAddrPrefix stands before the address of a block in a link, until the names of all are
// known. Nobody's name begins with it.
const BlockAddrPrefix = "\x00"

// FindKind finds a kind by its name; nil: there is none.
func FindKind(kinds []*Kind, name string) *Kind {
	for _, k := range kinds {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// FindAttr finds an attribute by its HCL name; nil: there is none.
func (k *Kind) FindAttr(name string) *Attr {
	for i := range k.Attrs {
		if k.Attrs[i].Name == name {
			return &k.Attrs[i]
		}
	}
	return nil
}

// SettableAttrs lists the attributes a configuration may set, in order.
func (k *Kind) SettableAttrs() []*Attr {
	return k.filterAttrs(func(a *Attr) bool { return !a.Computed })
}

// ComputedAttrs lists what B2 makes, in order.
func (k *Kind) ComputedAttrs() []*Attr {
	return k.filterAttrs(func(a *Attr) bool { return a.Computed })
}

func (k *Kind) filterAttrs(keep func(*Attr) bool) []*Attr {
	out := make([]*Attr, 0, len(k.Attrs))
	for i := range k.Attrs {
		if keep(&k.Attrs[i]) {
			out = append(out, &k.Attrs[i])
		}
	}
	return out
}

// ValueType is the type of the attribute's value; members of nested objects
// that may be left out are optional in it.
func (a *Attr) ValueType() cty.Type {
	if a.Object == nil {
		return a.Type
	}
	t := objectType(a.Object)
	if a.Many {
		return cty.List(t)
	}
	return t
}

func objectType(attrs []Attr) cty.Type {
	types := make(map[string]cty.Type, len(attrs))
	for i := range attrs {
		types[attrs[i].Name] = attrs[i].ValueType()
	}
	return cty.Object(types)
}

// ConfigType is the type of Resource.Value: every settable attribute.
func (k *Kind) ConfigType() cty.Type {
	types := map[string]cty.Type{}
	for _, a := range k.SettableAttrs() {
		types[a.Name] = a.ValueType()
	}
	return cty.Object(types)
}

// LiveType is the type of a decoded live object: every attribute.
func (k *Kind) LiveType() cty.Type { return objectType(k.Attrs) }

// IdentityOf is what identifies an object of this kind, brought into the form in
// which two are compared. v is an object that has the identity's attributes; ""
// where one is null or unknown.
func (k *Kind) IdentityOf(v AttrReader) string {
	id := v.GetAttr(k.IdentityAttr)
	if id.IsNull() || !id.IsKnown() {
		return ""
	}
	if k.ScopeAttr() == "" {
		return k.NormalizeIdentity(wire.UnescapeText(id.AsString()))
	}
	holder := v.GetAttr(k.ScopeAttr())
	if holder.IsNull() || !holder.IsKnown() {
		return ""
	}
	return k.NormalizeIdentity(holder.AsString() + "/" + wire.UnescapeText(id.AsString()))
}

// IsIdentityAttr reports whether the attribute is what, or part of what, identifies
// an object.
func (k *Kind) IsIdentityAttr(attr string) bool {
	return attr == k.IdentityAttr || attr == k.ScopeAttr() && attr != ""
}

// NormalizeIdentity brings an identity as B2 shows it into the form in which two are
// compared.
func (k *Kind) NormalizeIdentity(identity string) string {
	if !k.FoldCaseBeforeSlash {
		return identity
	}
	holder := k.ParentIdentity(identity)
	return strings.ToLower(holder) + identity[len(holder):]
}

func (a *Attr) normalize(v cty.Value) cty.Value {
	if a.Compare.Normalize == nil || v.IsNull() || !v.IsKnown() {
		return v
	}
	return a.Compare.Normalize(v)
}
