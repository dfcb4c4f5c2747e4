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

// A part is what came of looking for parts of other objects: for some by their
// identities, or for the first ones of a listing.
type part struct {
	kind    *kind.Kind
	asked   []string
	listing *kind.Listing
	list    []wire.JSON
	more    bool
}

// readParts looks for what is wanted of the kinds and is not in the snapshot, all
// at once. Where the objects that they are parts of were not read, nothing is
// looked for.
func (r *reader) readParts(ctx context.Context, kinds []*kind.Kind, s *kind.Snapshot) ([]part, error) {
	var parts []part
	for _, k := range kinds {
		if !s.WasRead(r.kindOf(k.PartOf())) && r.account.Buckets == nil {
			continue
		}
		p := part{kind: k}
		for _, identity := range r.identities(k, s) {
			if !s.Asked(k, identity) {
				p.asked = append(p.asked, identity)
			}
		}
		parts = append(parts, p)
		for _, l := range r.want[k.Name].Listings {
			if s.Found(k, l) == nil {
				parts = append(parts, part{kind: k, listing: &l})
			}
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	for i := range parts {
		p := &parts[i]
		g.Go(func() (err error) {
			if p.listing != nil {
				err = r.browse(ctx, p, s)
			} else {
				p.list, err = p.kind.List(ctx, r.api, kind.Scope{Account: r.account, Only: r.partIDs(p, s)})
			}
			if err != nil {
				return fmt.Errorf("reading the live %s: %w", p.kind.Plural, err)
			}
			return nil
		})
	}
	return parts, g.Wait()
}

// identities are those that are wanted, and those of wanted IDs.
func (r *reader) identities(k *kind.Kind, s *kind.Snapshot) []string {
	need := r.want[k.Name]
	all := slices.Clone(need.Identities)
	for _, id := range need.IDs {
		holder, name, _ := strings.Cut(id, "/")
		identity, ok := s.Name(k.PartOf(), holder)
		if !ok {
			continue
		}
		if k.Within != "" {
			identity += "/" + name
		}
		all = append(all, k.Fold(identity))
	}
	return sorted(all)
}

func (r *reader) browse(ctx context.Context, p *part, s *kind.Snapshot) error {
	for _, id := range r.holders(s, p.kind, p.listing.Holder) {
		list, more, err := p.kind.Browse(ctx, r.api, id, p.listing.Prefix, p.listing.Most)
		if err != nil {
			return err
		}
		p.list, p.more = append(p.list, list...), p.more || more
	}
	return nil
}

func (r *reader) partIDs(p *part, s *kind.Snapshot) []string {
	var ids []string
	for _, identity := range p.asked {
		for _, id := range r.holders(s, p.kind, p.kind.Holder(identity)) {
			ids = append(ids, p.kind.PartID(identity, id))
		}
	}
	return ids
}

// holders are the IDs of the live objects with an identity of which something of
// the kind is part.
func (r *reader) holders(s *kind.Snapshot, k *kind.Kind, identity string) []string {
	return s.IDs(r.kindOf(k.PartOf()), identity)
}

func (r *reader) kindOf(name string) *kind.Kind {
	return r.kinds[slices.IndexFunc(r.kinds, func(k *kind.Kind) bool { return k.Name == name })]
}

func addParts(s *kind.Snapshot, parts []part) error {
	for _, p := range parts {
		var err error
		if p.listing != nil {
			err = s.AddFound(p.kind, *p.listing, p.list, p.more)
		} else {
			err = s.AddParts(p.kind, p.asked, p.list)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
