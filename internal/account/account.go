// Package account reads what is live in a B2 account, with as few requests as
// the configuration and the state allow.
package account

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/sync/errgroup"

	"b2form/schema/kind"
)

// Want says what must be read, by the name of the kind. A kind that is absent
// is not read.
type Want map[string]Need

// A Need is what one kind must be read for.
type Need struct {
	Identities []string // declared or owned, in their normal form; sorted
	IDs        []string // remote IDs that the state knows; sorted
	Multi      bool     // a declared object is of the sort that only Scope.Multi lists
	Listings   []kind.Listing
}

// Wanted works out what a plan of cfg and entries needs: each kind that is
// declared, owned or asked for by data blocks, and each kind whose names those may
// hold. A configuration
// without keys never lists keys. An entry without an ID stands for an announced
// create whose outcome is unknown: what it made is looked for in every listing.
func Wanted(cfg *kind.Config, entries []kind.Entry, kinds []*kind.Kind) Want {
	want := Want{}
	for _, r := range cfg.Resources {
		n := want[r.Kind.Name]
		if id := r.Identity(); id != "" { // else a data block is to answer first
			n.Identities = append(n.Identities, id)
		}
		n.Multi = n.Multi || multi(r)
		want[r.Kind.Name] = n
		addNamed(want, r)
	}
	byName := make(map[string]*kind.Kind, len(kinds))
	for _, k := range kinds {
		byName[k.Name] = k
	}
	for _, e := range entries {
		k := byName[e.Addr.Kind]
		if k == nil {
			continue // the planner says so
		}
		n := want[k.Name]
		n.Identities = append(n.Identities, k.Fold(e.Identity))
		for _, old := range e.Retiring {
			n.IDs = append(n.IDs, old.ID)
		}
		if e.ID != "" {
			n.IDs = append(n.IDs, e.ID)
		} else {
			n.Multi = n.Multi || hasMulti(k)
		}
		want[k.Name] = n
	}
	for _, q := range cfg.Data {
		if q.Kind == nil {
			continue
		}
		n := want[q.Kind.Name]
		if q.Identity != "" {
			n.Identities = append(n.Identities, q.Identity)
		}
		if q.Listing != (kind.Listing{}) && !slices.Contains(n.Listings, q.Listing) {
			n.Listings = append(n.Listings, q.Listing)
		}
		n.Multi = n.Multi || hasMulti(q.Kind)
		want[q.Kind.Name] = n
	}
	for name, n := range want {
		n.Identities, n.IDs = sorted(n.Identities), sorted(n.IDs)
		want[name] = n
	}
	for _, k := range kinds {
		if _, ok := want[k.Name]; ok {
			addRefs(want, k.Attrs)
		}
	}
	return want
}

func sorted(ss []string) []string {
	if !slices.IsSorted(ss) {
		slices.Sort(ss)
	}
	return slices.Compact(ss)
}

// addNamed adds the kinds of which a resource names an object where it could give
// an ID.
func addNamed(want Want, r *kind.Resource) {
	for i := range r.Kind.Attrs {
		a := &r.Kind.Attrs[i]
		if !a.Knots() {
			continue
		}
		for _, m := range a.Mentions(r.Value.GetAttr(a.Name)) {
			if m.By.Foreign != nil && !m.By.Foreign(m.Name) {
				want[m.By.Ref] = want[m.By.Ref]
			}
		}
	}
}

// addRefs adds the kinds whose objects must be known by name to read others.
func addRefs(want Want, attrs []kind.Attr) {
	for i := range attrs {
		if ref := attrs[i].Ref; ref != "" && attrs[i].Foreign == nil {
			n := want[ref] // for its names; nothing of it is wanted by itself
			want[ref] = n
		}
		addRefs(want, attrs[i].Object)
	}
}

// multi recognises what only the newest API version lists: an object limited
// to several others ("b2_list_keys", multi-bucket application keys).
func multi(r *kind.Resource) bool {
	for i := range r.Kind.Attrs {
		a := &r.Kind.Attrs[i]
		if !several(a) {
			continue
		}
		if v := r.Value.GetAttr(a.Name); !v.IsNull() && v.IsKnown() && v.Type() != cty.String && v.LengthInt() > 1 {
			return true
		}
	}
	return false
}

// several reports whether the attribute limits an object to one other in older
// API versions and to several in the newest.
func several(a *kind.Attr) bool { return a.Ref != "" && a.ReadOne != "" }

// Read lists every wanted kind, all at once, and then what is a part of what was
// found. A kind that the credentials may
// not list is left out, without a request: Snapshot.WasRead tells. Where the
// state knows IDs that the listing lacks, one more listing with Scope.Multi
// looks for them: an entry does not say how its object is listed. The error is
// the API's, wrapped.
func Read(ctx context.Context, api kind.API, account *kind.Account, kinds []*kind.Kind, want Want) (*kind.Snapshot, error) {
	r := reader{api: api, account: account, kinds: kinds, want: want, raw: make(map[string][]json.RawMessage, len(kinds))}
	var first, parts []*kind.Kind
	for _, k := range kinds {
		if _, ok := want[k.Name]; !ok || !r.may(k) {
			continue
		}
		if k.PartOf() != "" {
			parts = append(parts, k)
			continue
		}
		first = append(first, k)
	}
	if err := r.list(ctx, first, false); err != nil {
		return nil, err
	}
	snapshot, err := kind.NewSnapshot(account, kinds, r.raw)
	if err != nil {
		return nil, err
	}
	second := slices.DeleteFunc(first, func(k *kind.Kind) bool { return !r.lacks(k, snapshot) })
	if len(second) == 0 && len(parts) == 0 {
		return snapshot, nil
	}
	var found []part
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.list(gctx, second, true) })
	g.Go(func() (err error) {
		found, err = r.readParts(gctx, parts, snapshot)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if len(second) > 0 {
		if snapshot, err = kind.NewSnapshot(account, kinds, r.raw); err != nil {
			return nil, err
		}
	}
	return snapshot, addParts(snapshot, found)
}

// More reads what is wanted of parts and was not looked for yet, and puts it into
// the snapshot. It reports whether there was something to look for.
func More(ctx context.Context, api kind.API, kinds []*kind.Kind, want Want, s *kind.Snapshot) (bool, error) {
	r := reader{api: api, account: s.Account, kinds: kinds, want: want}
	var parts []*kind.Kind
	for _, k := range kinds {
		if _, ok := want[k.Name]; ok && k.PartOf() != "" && r.may(k) {
			parts = append(parts, k)
		}
	}
	found, err := r.readParts(ctx, parts, s)
	if err != nil {
		return false, err
	}
	news := slices.ContainsFunc(found, func(p part) bool { return len(p.asked) > 0 || p.listing != nil })
	return news, addParts(s, found)
}

type reader struct {
	api     kind.API
	account *kind.Account
	kinds   []*kind.Kind
	want    Want
	raw     map[string][]json.RawMessage
}

// may reports whether the credentials may list the kind.
func (r *reader) may(k *kind.Kind) bool {
	return !slices.ContainsFunc(k.Reads, func(c string) bool { return !r.account.Can(c) })
}

// list reads the kinds, all at once, in place of what was read of them before.
func (r *reader) list(ctx context.Context, kinds []*kind.Kind, multi bool) error {
	lists := make([][]json.RawMessage, len(kinds))
	g, ctx := errgroup.WithContext(ctx)
	for i, k := range kinds {
		need := r.want[k.Name]
		scope := kind.Scope{Account: r.account, Multi: multi || need.Multi}
		if r.account.Buckets != nil {
			scope.Only = interesting(r.account, need)
		}
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
		r.raw[k.Name] = lists[i]
	}
	return nil
}

// lacks reports whether an object that the state knows was not listed although
// Scope.Multi might list it.
func (r *reader) lacks(k *kind.Kind, s *kind.Snapshot) bool {
	need := r.want[k.Name]
	return !need.Multi && hasMulti(k) && slices.ContainsFunc(need.IDs, func(id string) bool { return s.ByID(k, id) == nil })
}

// interesting names what restricted credentials should be asked about.
func interesting(account *kind.Account, need Need) []string {
	only := slices.Clone(need.Identities)
	for _, b := range account.Buckets {
		if b.Name != "" {
			only = append(only, b.Name)
		}
	}
	return sorted(only)
}

// hasMulti reports whether Scope.Multi makes a difference for the kind.
func hasMulti(k *kind.Kind) bool {
	return slices.ContainsFunc(k.Attrs, func(a kind.Attr) bool { return several(&a) })
}
