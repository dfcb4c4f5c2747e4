// Package account reads what is live in a B2 account, with as few requests as
// the configuration and the state allow.
package account

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// Query says what must be read, by the name of the kind. A kind that is absent
// is not read.
type Query map[string]KindQuery

// A KindQuery is what one kind must be read for.
type KindQuery struct {
	WantedIdentities []string // declared or owned, in their normal form; sorted. Only of a kind with a parent
	// remote IDs that the state knows. Only of a kind with a parent, or of which ListFilter.IncludeMultiBucketKeys
	// lists more
	WantedIDs []string
	// a declared object is of the sort that only ListFilter.IncludeMultiBucketKeys lists, or may be there as one: the state
	// does not know it
	ListMultiBucketKeys bool
	// what others name and nobody declares. Only of a kind of which ListFilter.IncludeMultiBucketKeys lists more
	UndeclaredReferences []string
	// names or remote IDs in import blocks. Only of a kind of which ListFilter.IncludeMultiBucketKeys lists more
	ImportIDsOrIdentities []string
	Listings              []kind.ChildListQuery
}

// QueryFor works out what a plan of cfg and entries needs: each kind that is
// declared, owned or asked for by data blocks, and each kind whose names those may
// hold. A configuration
// without keys never lists keys. An entry without an ID stands for an announced
// create whose outcome is unknown; see [Query.AddMultiBucket].
func QueryFor(cfg *config.Config, entries []addr.StateEntry, kinds []*kind.Kind) Query {
	w, byName := queryBuilder{}, make(map[string]*kind.Kind, len(kinds))
	for _, k := range kinds {
		byName[k.Name] = k
	}
	recorded := make(map[addr.Addr]bool, len(entries))
	for i := range entries {
		recorded[entries[i].Addr] = entries[i].ID != ""
	}
	for _, r := range cfg.Resources {
		n := w.forKind(r.Kind)
		n.addIdentityIfChild(r.Identity())
		n.ListMultiBucketKeys = n.ListMultiBucketKeys || config.NeedsMultiBucket(r.Kind, r.Value) ||
			n.supportsMultiBucket && !recorded[r.Addr]
		for _, a := range n.linkAttrs {
			w.addReferencedNames(a, r, byName)
		}
	}
	for i := range entries {
		if k := byName[entries[i].Addr.Kind]; k != nil { // else the planner says so
			w.forKind(k).addEntry(&entries[i])
		}
	}
	for _, i := range cfg.Imports {
		if n := w[i.To.Kind]; n != nil && n.supportsMultiBucket {
			n.ImportIDsOrIdentities = append(append(n.ImportIDsOrIdentities, i.SiblingIDsOrIdentities...), i.IDOrIdentity)
		}
	}
	for _, q := range cfg.DataQueries {
		if q.Kind != nil {
			n := w.forKind(q.Kind)
			n.addIdentityIfChild(q.Identity)
			n.ListMultiBucketKeys = n.ListMultiBucketKeys || n.supportsMultiBucket
			if q.Children != (kind.ChildListQuery{}) && !slices.Contains(n.Listings, q.Children) {
				n.Listings = append(n.Listings, q.Children)
			}
		}
	}
	for _, k := range kinds {
		if w[k.Name] != nil {
			w.addReferencedKinds(k.Attrs, byName)
		}
	}
	want := make(Query, len(w))
	for name, n := range w {
		n.WantedIdentities, n.UndeclaredReferences = sortedUnique(n.WantedIdentities), dropDeclared(cfg, n.kind, n.UndeclaredReferences)
		want[name] = n.KindQuery
	}
	return want
}

// AddMultiBucket has a kind, which is read, be read with what only ListFilter.IncludeMultiBucketKeys
// lists: an announced create whose outcome is unknown may have made such an object.
func (q Query) AddMultiBucket(kindName string) {
	n := q[kindName]
	n.ListMultiBucketKeys = true
	q[kindName] = n
}

// queryBuilder is a Query in the making.
type queryBuilder map[string]*kindQueryBuilder

type kindQueryBuilder struct {
	KindQuery
	kind                         *kind.Kind
	isChild, supportsMultiBucket bool         // see the members of KindQuery
	linkAttrs                    []*kind.Attr // see addReferencedNames
}

func (w queryBuilder) forKind(k *kind.Kind) *kindQueryBuilder {
	n := w[k.Name]
	if n == nil {
		n = &kindQueryBuilder{kind: k, isChild: k.ParentKind() != "", supportsMultiBucket: config.MultiBucketAttr(k) != nil}
		for _, i := range k.DeferredLinkIndices() {
			n.linkAttrs = append(n.linkAttrs, &k.Attrs[i])
		}
		w[k.Name] = n
	}
	return n
}

// addIdentityIfChild adds the identity of an object; "" where a data block is to answer
// first.
func (n *kindQueryBuilder) addIdentityIfChild(identity string) {
	if n.isChild && identity != "" {
		n.WantedIdentities = append(n.WantedIdentities, identity)
	}
}

// addEntry adds an object of the state.
func (n *kindQueryBuilder) addEntry(e *addr.StateEntry) {
	n.addIdentityIfChild(n.kind.NormalizeIdentity(e.Identity))
	if !n.supportsMultiBucket && !n.isChild {
		return
	}
	for id := range e.IDs() {
		if id != "" { // an announced create has none yet
			n.WantedIDs = append(n.WantedIDs, id)
		}
	}
}

func sortedUnique(ss []string) []string {
	if !slices.IsSorted(ss) {
		slices.Sort(ss)
	}
	return slices.Compact(ss)
}

// addReferencedNames adds the kinds of which a resource names an object where it could give
// an ID.
func (w queryBuilder) addReferencedNames(a *kind.Attr, r *config.Resource, kinds map[string]*kind.Kind) {
	for _, m := range a.References(r.Value.GetAttr(a.Name)) {
		if k := kinds[m.Attr.Link.RefKind]; k != nil && m.Attr.Link.IsRemoteID != nil && !m.Attr.Link.IsRemoteID(m.Name) {
			n := w.forKind(k)
			if identity := k.NormalizeIdentity(m.Name); n.supportsMultiBucket && !slices.Contains(n.UndeclaredReferences, identity) {
				n.UndeclaredReferences = append(n.UndeclaredReferences, identity)
			}
		}
	}
}

// dropDeclared keeps of the identities those that stand for no resource of the kind.
func dropDeclared(cfg *config.Config, k *kind.Kind, identities []string) []string {
	for _, r := range cfg.Resources {
		if len(identities) == 0 {
			break
		}
		if r.Kind == k {
			identity, address := r.Identity(), r.Addr.String()
			identities = slices.DeleteFunc(identities, func(s string) bool { return s == identity || s == address })
		}
	}
	return identities
}

// addReferencedKinds adds the kinds whose objects must be known by name to read others.
func (w queryBuilder) addReferencedKinds(attrs []kind.Attr, kinds map[string]*kind.Kind) {
	for i := range attrs {
		if k := kinds[attrs[i].Link.RefKind]; k != nil && attrs[i].Link.IsRemoteID == nil {
			w.forKind(k) // for its names; nothing of it is wanted by itself
		}
		w.addReferencedKinds(attrs[i].Object, kinds)
	}
}

// ReadSnapshot lists every wanted kind, all at once, and then what is a part of what was
// found. A kind that the credentials may
// not list is left out, without a request: Snapshot.WasRead tells. Where the
// state knows IDs that the listing lacks, one more listing with ListFilter.IncludeMultiBucketKeys
// looks for them: an entry does not say how its object is listed. What recent entries record is looked for
// again, with pauses, until it shows up as it was left or patience ends. The error is
// the API's, wrapped, or that of a context that has ended, though the last reply came first.
func ReadSnapshot(ctx context.Context, api wire.API, account *wire.Account, kinds []*kind.Kind, want Query,
	recent RecentEntries) (*kind.Snapshot, error) {
	r := reader{api: api, account: account, kinds: kinds, query: want, rawByKind: make(map[string][]wire.RawJSON, len(kinds)),
		recent: recent, delays: wire.ListingDelays()}
	var first, parts []*kind.Kind
	for _, k := range kinds {
		if _, ok := want[k.Name]; !ok || !r.canRead(k) {
			continue
		}
		if k.ParentKind() != "" {
			parts = append(parts, k)
			continue
		}
		first = append(first, k)
	}
	if err := r.listObjects(ctx, first, false); err != nil {
		return nil, err
	}
	snapshot, err := kind.NewSnapshot(account, kinds, r.rawByKind)
	if err != nil {
		return nil, err
	}
	second := slices.DeleteFunc(slices.Clone(first), func(k *kind.Kind) bool { return !r.needsMultiBucketListing(k, snapshot) })
	if len(r.outdatedIn(snapshot, first)) > 0 {
		if snapshot, err = r.relistUntilShown(ctx, first, second, snapshot); err != nil {
			return nil, err
		}
		second = nil
	}
	if len(second) == 0 && len(parts) == 0 {
		return snapshot, ctx.Err()
	}
	var found []childQueryResult
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.listObjects(gctx, second, true) })
	g.Go(func() (err error) {
		found, err = r.readChildren(gctx, parts, snapshot)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if len(second) > 0 {
		if snapshot, err = kind.NewSnapshot(account, kinds, r.rawByKind); err != nil {
			return nil, err
		}
	}
	if err := addChildrenToSnapshot(snapshot, found); err != nil {
		return nil, err
	}
	if err := r.reReadChildrenUntilShown(ctx, parts, snapshot); err != nil {
		return nil, err
	}
	return snapshot, ctx.Err()
}

// ReadMoreChildren reads what is wanted of parts and was not looked for yet, and puts it into
// the snapshot. It reports whether there was something to look for.
func ReadMoreChildren(ctx context.Context, api wire.API, kinds []*kind.Kind, want Query, s *kind.Snapshot) (lookedFor bool, err error) {
	r := reader{api: api, account: s.Account, kinds: kinds, query: want}
	var parts []*kind.Kind
	for _, k := range kinds {
		if _, ok := want[k.Name]; ok && k.ParentKind() != "" && r.canRead(k) {
			parts = append(parts, k)
		}
	}
	found, err := r.readChildren(ctx, parts, s)
	if err != nil {
		return false, err
	}
	news := slices.ContainsFunc(found, func(p childQueryResult) bool { return len(p.lookedForIdentities) > 0 || p.listQuery != nil })
	return news, addChildrenToSnapshot(s, found)
}

type reader struct {
	api       wire.API
	account   *wire.Account
	kinds     []*kind.Kind
	query     Query
	rawByKind map[string][]wire.RawJSON
	recent    RecentEntries
	delays    []time.Duration // pauses that are left before one more look for recent entries
}

// canRead reports whether the credentials may list the kind.
func (r *reader) canRead(k *kind.Kind) bool {
	return !slices.ContainsFunc(k.ReadCapabilities, func(c string) bool { return !r.account.HasCapability(c) })
}

// listObjects reads the kinds, all at once, in place of what was read of them before.
func (r *reader) listObjects(ctx context.Context, kinds []*kind.Kind, multiBucket bool) error {
	lists := make([][]wire.RawJSON, len(kinds))
	g, ctx := errgroup.WithContext(ctx)
	for i, k := range kinds {
		need := r.query[k.Name]
		scope := kind.ListFilter{Account: r.account, IncludeMultiBucketKeys: multiBucket || need.ListMultiBucketKeys}
		g.Go(func() error {
			list, err := k.List(ctx, r.api, scope)
			if err != nil {
				return fmt.Errorf("reading the live %s: %w", k.Plural, err)
			}
			lists[i] = list
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, k := range kinds {
		r.rawByKind[k.Name] = lists[i]
	}
	return nil
}

// needsMultiBucketListing reports whether an object that the state knows, or that others name, was
// not listed although ListFilter.IncludeMultiBucketKeys might list it.
func (r *reader) needsMultiBucketListing(k *kind.Kind, s *kind.Snapshot) bool {
	need := r.query[k.Name]
	if need.ListMultiBucketKeys || config.MultiBucketAttr(k) == nil {
		return false
	}
	isImportable := func(id string) bool { return s.ByID(k, id) != nil || len(s.ByIdentity(k, k.NormalizeIdentity(id))) > 0 }
	return slices.ContainsFunc(need.WantedIDs, func(id string) bool { return s.ByID(k, id) == nil }) ||
		slices.ContainsFunc(need.ImportIDsOrIdentities, func(id string) bool { return id != "" && !isImportable(id) }) ||
		slices.ContainsFunc(need.UndeclaredReferences, func(name string) bool { return len(s.ByIdentity(k, name)) == 0 })
}
