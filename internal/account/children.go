package account

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"b2form/schema/kind"
	"b2form/schema/wire"
)

// A childQueryResult is what came of looking for parts of other objects: for some by their
// identities, or for the first ones of a listing.
type childQueryResult struct {
	kind                *kind.Kind
	lookedForIdentities []string
	listQuery           *kind.ChildListQuery
	found               []wire.RawJSON
	folders             []string
	hasMore             bool
}

// readChildren looks for what is wanted of the kinds and is not in the snapshot, all
// at once. Where the objects that they are parts of were not read, nothing is
// looked for.
func (r *reader) readChildren(ctx context.Context, kinds []*kind.Kind, s *kind.Snapshot) ([]childQueryResult, error) {
	var parts []childQueryResult
	for _, k := range kinds {
		if !s.WasReadAtAll(kind.FindKind(r.kinds, k.ParentKind())) && r.account.AllowedBuckets == nil {
			continue
		}
		p := childQueryResult{kind: k}
		for _, identity := range r.wantedIdentities(k, s) {
			if !s.CanTellIfExists(k, identity) {
				p.lookedForIdentities = append(p.lookedForIdentities, identity)
			}
		}
		parts = append(parts, p)
		for _, l := range r.query[k.Name].Listings {
			if s.FindChildListing(k, l) == nil {
				parts = append(parts, childQueryResult{kind: k, listQuery: &l})
			}
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	for i := range parts {
		p := &parts[i]
		g.Go(func() (err error) {
			if p.listQuery != nil {
				err = r.fillFromListing(ctx, p, s)
			} else {
				p.found, err = p.kind.List(ctx, r.api, kind.ListFilter{Account: r.account, WantedChildIDs: r.wantedChildIDs(p, s)})
			}
			if err != nil {
				return fmt.Errorf("reading the live %s: %w", p.kind.Plural, err)
			}
			return nil
		})
	}
	return parts, g.Wait()
}

// wantedIdentities are those that are wanted, and those of wanted IDs.
func (r *reader) wantedIdentities(k *kind.Kind, s *kind.Snapshot) []string {
	need := r.query[k.Name]
	all := slices.Clone(need.WantedIdentities)
	for _, id := range need.WantedIDs {
		holder, name, _ := strings.Cut(id, "/")
		identity, ok := s.NameUnlessNamesRepeat(k.ParentKind(), holder)
		if !ok {
			continue
		}
		if k.ScopeAttr() != "" {
			identity += "/" + name
		}
		all = append(all, k.NormalizeIdentity(identity))
	}
	return sortedUnique(all)
}

func (r *reader) fillFromListing(ctx context.Context, p *childQueryResult, s *kind.Snapshot) error {
	for _, id := range r.idsOfParentNamed(s, p.kind, p.listQuery.ParentIdentity) {
		list, folders, more, err := p.kind.Parent.ListChildren(ctx, r.api, id, *p.listQuery)
		if err != nil {
			return err
		}
		p.found, p.folders, p.hasMore = append(p.found, list...), append(p.folders, folders...), p.hasMore || more
	}
	return nil
}

func (r *reader) wantedChildIDs(p *childQueryResult, s *kind.Snapshot) []string {
	var ids []string
	for _, identity := range p.lookedForIdentities {
		for _, id := range r.idsOfParentNamed(s, p.kind, p.kind.ParentIdentity(identity)) {
			ids = append(ids, p.kind.ChildID(identity, id))
		}
	}
	return ids
}

// idsOfParentNamed are the IDs of the live objects with an identity of which something of
// the kind is part.
func (r *reader) idsOfParentNamed(s *kind.Snapshot, k *kind.Kind, identity string) []string {
	return s.IDsOf(kind.FindKind(r.kinds, k.ParentKind()), identity)
}

func addChildrenToSnapshot(s *kind.Snapshot, parts []childQueryResult) error {
	for _, p := range parts {
		var err error
		if p.listQuery != nil {
			err = s.AddListing(p.kind, *p.listQuery, p.found, p.folders, p.hasMore)
		} else {
			err = s.AddLookedForChildren(p.kind, p.lookedForIdentities, p.found)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
