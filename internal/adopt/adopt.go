// Package adopt writes configuration for what exists: a pure function from what an
// account holds to the text of files. It knows what is declared already and leaves that
// out, so that running it again writes down what is new.
package adopt

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// A Layout is how blocks are spread over files.
type Layout string

// The layouts.
const (
	OneFile   Layout = "one"    // everything in one file, keys behind their bucket
	ByKind    Layout = "kind"   // one file for each kind
	PerBucket Layout = "bucket" // one file for each bucket and what belongs to it
)

// Layouts lists them.
func Layouts() []string { return []string{string(OneFile), string(ByKind), string(PerBucket)} }

// A Request is what to write down, and how.
type Request struct {
	Kinds    []*kind.Kind
	Snapshot *kind.Snapshot
	Config   *config.Config    // what is declared already
	Entries  []addr.StateEntry // what the state owns
	// Wanted reports whether an object is asked for. What is part of another one is as
	// that one is, but for what holds content.
	Wanted func(k *kind.Kind, id, name string) bool
	// NamedExactly reports whether a name is asked for as such. What ends by itself is written down only
	// then: a block would make it anew, when it is over.
	NamedExactly func(name string) bool
	Now          time.Time // by B2's clock
	// ContentPaths are the local files that hold what objects hold, below ContentFolder. Of a kind
	// whose objects hold content nothing else is written.
	ContentPaths map[ObjectID]string
	Undeclarable []UndeclarableObject // what was found to be undeclarable before
	Layout       Layout
	FoldFamilies bool           // families of objects in one block
	Notes        []OmissionNote // what the files are to say at their end, as far as it is about what is written
	// OnlyAddresses names objects by their kind and remote ID, and is what is written down
	// then, without imports; nil: everything, with labels made from names.
	OnlyAddresses map[ObjectID]addr.Addr
}

// An OmissionNote is a sentence about what is not written.
type OmissionNote struct {
	KindName string // it matters where objects of this kind are written; "": to everything
	Text     string
}

// An ObjectID is a kind and a remote ID.
type ObjectID struct{ Kind, ID string }

// A File is one file to write.
type File struct{ NameWithoutSuffix, Text string }

// Suffix is what names of files of a configuration end with.
const Suffix = ".b2.hcl"

// A Result is what was written down, and what was not.
type Result struct {
	Files               []File
	WrittenCounts       []WrittenCount       // of each kind of which something is written, in the order of the kinds
	Addrs               []addr.Addr          // of all that is written
	Undeclarable        []UndeclarableObject // what cannot be declared, sorted
	OwnedUndeclared     []addr.Addr          // what the state owns under an address that nothing declares
	BlocksOfUnknownName []addr.Addr          // blocks that may declare what is written, since their names or instances are not known
	Notes               []OmissionNote       // those of the request that are about what is written
	HiddenValues        []HiddenValue        // values that became variables, in the order of these
	UnknownSettings     []UnknownSettings    // what is live in attributes that are written, and is not written
}

// A WrittenCount is how many objects of a kind are written.
type WrittenCount struct {
	Kind           *kind.Kind
	ObjectsWritten int
}

// UndeclarableObject is an object that cannot be declared, and why.
type UndeclarableObject struct{ Kind, Name, Reason string }

// UnknownSettings are members of an attribute that the program does not know, in all objects of a kind.
type UnknownSettings struct {
	KindName, AttrName string
	Identities         []string // of the objects
	QuotedNames        []string // of the members, sorted, each of bounded length
}

// A HiddenValue is the variable that stands for a secret value. The value itself is for
// checking what was written, and for nothing else.
type HiddenValue struct {
	VariableName string
	about        string // in words
	value        string
}

// Reveal gives the secret.
func (h HiddenValue) Reveal() string { return h.value }

// Format keeps the secret out of whatever prints it.
func (h HiddenValue) Format(f fmt.State, _ rune) { fmt.Fprint(f, h.VariableName) }

// An item is one object, or a family of objects, in the making.
type item struct {
	kind               *kind.Kind
	id                 string
	name               string // as it is declared
	args               []arg
	remarks            []string
	secrets            []HiddenValue
	label              string
	instanceKeys       []string          // instances of a family, sorted; nil: one object
	instanceKeyByID    map[string]string // by the remote ID of a member
	members            []*item
	labelHint          string // what the label of a family is taken from
	memberIdentityExpr string // of a family: the expression for what finds a member
	requestedAddress   *addr.Addr
}

// An arg is one attribute as it is written: an expression or, where block is set, nested
// blocks. Expressions hold references as marks, see mark.
type arg struct {
	name    string
	value   string
	isBlock bool
	members []arg
}

// ConfigForLiveObjects writes configuration. An error is about a reply that is not what B2 sends.
func ConfigForLiveObjects(r Request) (*Result, error) {
	w := newWriter(r)
	var all []*item
	for _, k := range r.Kinds {
		items, err := w.collect(k)
		if err != nil {
			return nil, err
		}
		if len(items) > 0 {
			w.result.WrittenCounts = append(w.result.WrittenCounts, WrittenCount{k, len(items)})
		}
		switch {
		case r.FoldFamilies && k.Content != nil:
			items = w.foldContentFamilies(items)
		case r.FoldFamilies:
			items = w.fold(items)
		}
		w.label(k, items)
		all = append(all, items...)
	}
	w.result.Notes = slices.DeleteFunc(slices.Clone(r.Notes), func(n OmissionNote) bool {
		if n.KindName == "" {
			return r.OnlyAddresses != nil
		}
		return !slices.ContainsFunc(w.result.WrittenCounts, func(c WrittenCount) bool { return c.Kind.Name == n.KindName })
	})
	slices.SortFunc(w.result.BlocksOfUnknownName, addr.Addr.Compare)
	w.renderFiles(all)
	slices.SortFunc(w.result.Undeclarable, func(a, b UndeclarableObject) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name), strings.Compare(a.Reason, b.Reason))
	})
	return w.result, nil
}

// A writer is one run of Write.
type writer struct {
	Request
	declaredIDs      map[ObjectID]bool
	declaredNames    map[ObjectID]bool // by kind and identity
	ownerAddrByID    map[ObjectID]addr.Addr
	referenceTargets map[ObjectID]referenceTarget // what references may name, by kind and remote ID
	takenLabels      map[ObjectID]bool            // taken, by kind and label; of variables by "variable" and name
	idOfName         map[ObjectID]string
	result           *Result
}

func newWriter(r Request) *writer {
	w := &writer{Request: r, referenceTargets: map[ObjectID]referenceTarget{}, takenLabels: map[ObjectID]bool{},
		result: &Result{Undeclarable: slices.Clone(r.Undeclarable)}}
	w.indexDeclaredAndOwned()
	return w
}

// A referenceTarget is where an object is declared.
type referenceTarget struct {
	addr addr.Addr
	item *item // nil: it was declared before
}

// indexDeclaredAndOwned notes what is declared, and where: by the remote ID that the state or an
// import ties it to, else by its name.
func (w *writer) indexDeclaredAndOwned() {
	w.declaredIDs, w.declaredNames, w.ownerAddrByID = map[ObjectID]bool{}, map[ObjectID]bool{}, map[ObjectID]addr.Addr{}
	w.idOfName = map[ObjectID]string{}
	idOf := map[addr.Addr]string{}
	byAddr := w.Config.ResourcesByAddr()
	for _, e := range w.Entries {
		idOf[e.Addr] = e.ID
		for id := range e.IDs() {
			w.ownerAddrByID[ObjectID{e.Addr.Kind, id}] = e.Addr
			if byAddr[e.Addr] != nil { // predecessors too
				w.declaredIDs[ObjectID{e.Addr.Kind, id}] = true
			}
		}
	}
	for _, r := range w.Config.Resources {
		w.takenLabels[ObjectID{r.Addr.Kind, r.Addr.Label}] = true
	}
	taken := slices.Clone(w.Config.AddrsWithUnknownInstances)
	for _, m := range w.Config.Moves {
		taken = append(taken, m.From)
	}
	for _, r := range w.Config.Removals {
		taken = append(taken, r.From)
	}
	for _, a := range taken { // nothing may be declared there
		w.takenLabels[ObjectID{a.Kind, a.Label}] = true
	}
	for _, of := range []map[string]cty.Value{w.Config.SensitiveVariables, w.Config.NonsensitiveVariables} {
		for name := range of {
			w.takenLabels[ObjectID{"variable", name}] = true
		}
	}
	for _, i := range w.Config.Imports {
		for _, id := range append(i.SiblingIDsOrIdentities, i.IDOrIdentity) {
			if r := byAddr[i.To]; r != nil && w.Snapshot.ByID(r.Kind, id) != nil {
				idOf[i.To] = id
				w.declaredIDs[ObjectID{i.To.Kind, id}] = true
			}
		}
	}
	w.result.BlocksOfUnknownName = slices.Clone(w.Config.AddrsWithUnknownInstances)
	for _, r := range w.Config.Resources {
		id := idOf[r.Addr]
		if !r.Value.GetAttr(r.Kind.IdentityAttr).IsWhollyKnown() {
			if id != "" {
				w.declaredIDs[ObjectID{r.Kind.Name, id}] = true
			} else {
				w.result.BlocksOfUnknownName = append(w.result.BlocksOfUnknownName, r.Addr)
			}
			continue
		}
		if id == "" {
			w.declaredNames[ObjectID{r.Kind.Name, r.Identity()}] = true
			if same := w.Snapshot.ByIdentity(r.Kind, r.Identity()); len(same) == 1 {
				id = same[0].ID
			}
		}
		w.declaredIDs[ObjectID{r.Kind.Name, id}] = true
		w.referenceTargets[ObjectID{r.Kind.Name, id}] = referenceTarget{addr: r.Addr}
	}
}

// collect makes items of the objects of a kind that are to be written, in the order of
// their names and IDs.
func (w *writer) collect(k *kind.Kind) ([]*item, error) {
	if !w.Snapshot.WasReadAtAll(k) {
		return nil, nil
	}
	c := w.newCollector(k)
	objects := slices.Clone(w.Snapshot.AllRead(k))
	slices.SortFunc(objects, func(a, b *kind.Object) int {
		return cmp.Or(strings.Compare(a.Identity, b.Identity), strings.Compare(a.ID, b.ID))
	})
	var items []*item
	for _, o := range objects {
		id := ObjectID{k.Name, o.ID}
		target, named := w.OnlyAddresses[id]
		switch owner, owned := w.ownerAddrByID[id]; {
		case w.OnlyAddresses != nil && !named:
			continue
		case w.OnlyAddresses != nil:
		case w.mayAlreadyBeDeclared(o) || !w.wanted(k, o):
			continue
		case owned:
			w.result.OwnedUndeclared = append(w.result.OwnedUndeclared, owner)
			continue
		}
		it, err := c.itemIfDeclarable(o, w.ContentPaths[id])
		if err != nil {
			return nil, err
		}
		if it == nil {
			continue
		}
		if named {
			it.requestedAddress = &target
		}
		w.referenceTargets[id] = referenceTarget{item: it}
		items = append(items, it)
	}
	return items, nil
}

func (w *writer) mayAlreadyBeDeclared(o *kind.Object) bool {
	if owner, owned := w.ownerAddrByID[ObjectID{o.Kind.Name, o.ID}]; owned {
		for _, a := range w.Config.AddrsWithUnknownInstances {
			if a.Covers(owner) {
				return true
			}
		}
	}
	return w.declaredIDs[ObjectID{o.Kind.Name, o.ID}] || w.declaredNames[ObjectID{o.Kind.Name, o.Identity}]
}

func (w *writer) wanted(k *kind.Kind, o *kind.Object) bool {
	if k.Content != nil {
		return w.ContentPaths[ObjectID{k.Name, o.ID}] != ""
	}
	if k.ParentKind() == "" {
		return w.Wanted(k, o.ID, o.Identity)
	}
	for _, parent := range w.Kinds {
		if parent.Name == k.ParentKind() {
			for _, id := range w.Snapshot.IDsOf(parent, k.ParentIdentity(o.Identity)) {
				return w.Wanted(parent, id, k.ParentIdentity(o.Identity))
			}
		}
	}
	return false
}

// addUndeclarable notes an object that cannot be declared.
func (w *writer) addUndeclarable(k *kind.Kind, name, reason string, args ...any) {
	w.result.Undeclarable = append(w.result.Undeclarable, UndeclarableObject{k.Name, name, fmt.Sprintf(reason, args...)})
}

// noteUnknownMembers notes what is live in the attributes that are written, and cannot be written itself.
func (w *writer) noteUnknownMembers(o *kind.Object, args []arg) {
	var attrs []string
	for _, a := range args {
		attrs = append(attrs, a.name)
	}
	w.result.UnknownSettings = AppendUnknownSettings(w.result.UnknownSettings, o, slices.Compact(attrs))
}

// AppendUnknownSettings adds to a list what is live in attributes of an object and that the program does not know.
func AppendUnknownSettings(list []UnknownSettings, o *kind.Object, attrs []string) []UnknownSettings {
	for _, u := range plan.FindUnknownMembers(o, attrs) {
		at := slices.IndexFunc(list, func(have UnknownSettings) bool {
			return have.KindName == o.Kind.Name && have.AttrName == u.AttrName
		})
		if at < 0 {
			at = len(list)
			list = append(list, UnknownSettings{KindName: o.Kind.Name, AttrName: u.AttrName})
		}
		have := &list[at]
		have.Identities = append(have.Identities, o.Identity)
		have.QuotedNames = slices.Compact(slices.Sorted(slices.Values(append(have.QuotedNames, u.QuotedNames...))))
	}
	return list
}
