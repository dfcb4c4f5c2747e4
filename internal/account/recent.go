package account

import (
	"context"
	"fmt"
	"slices"
	"time"

	"b2form/schema/addr"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// RecentEntries are those of the state whose objects were made or changed so little ago that a listing may not show that
// yet. The zero value has none, and nothing is waited for.
type RecentEntries struct {
	Made []addr.StateEntry
	// NotAsLeft lists those that were changed and that a snapshot shows other than they were left.
	NotAsLeft func(s *kind.Snapshot) []addr.StateEntry
	// Sleep returns after d, or earlier with the context's error.
	Sleep func(ctx context.Context, d time.Duration) error
	// OnWait is called before the first pause with the addresses of what is waited for; end is called after the
	// last look.
	OnWait func(late []addr.Addr) (end func())
}

// outdatedIn are the recent entries of the kinds whose objects the snapshot shows as they were before, or lacks although
// they would be in it: what the credentials do not see is not waited for, nor what went with the object that it was part of.
func (r *reader) outdatedIn(s *kind.Snapshot, kinds []*kind.Kind) (late []addr.StateEntry) {
	findKind := func(e addr.StateEntry) int {
		return slices.IndexFunc(kinds, func(k *kind.Kind) bool { return k.Name == e.Addr.Kind })
	}
	if r.recent.NotAsLeft != nil {
		late = slices.DeleteFunc(r.recent.NotAsLeft(s), func(e addr.StateEntry) bool { return findKind(e) < 0 })
	}
	for _, e := range r.recent.Made {
		i := findKind(e)
		if i < 0 || s.ByID(kinds[i], e.ID) != nil {
			continue
		}
		k := kinds[i]
		if k.ParentKind() != "" && len(r.idsOfParentNamed(s, k, k.ParentIdentity(e.Identity))) == 0 || r.isOutOfSight(k, e.ID) {
			continue
		}
		late = append(late, e)
	}
	return late
}

// isOutOfSight reports whether the credentials are limited to other objects of the kind.
func (r *reader) isOutOfSight(k *kind.Kind, id string) bool {
	if k.AllowedObjects == nil {
		return false
	}
	allowed, limited := k.AllowedObjects(r.account)
	return limited && !slices.ContainsFunc(allowed, func(b wire.AllowedBucket) bool { return b.ID == id })
}

// lookAgain calls look, with a pause before each call, until nothing is outdated or no pause is left. outdated is asked
// before each pause.
func (r *reader) lookAgain(ctx context.Context, outdated func() []addr.StateEntry, look func([]addr.StateEntry) error) error {
	late := outdated()
	if len(late) == 0 || len(r.delays) == 0 {
		return nil
	}
	addrs := make([]addr.Addr, len(late))
	for i := range late {
		addrs[i] = late[i].Addr
	}
	defer r.recent.OnWait(addrs)()
	for len(late) > 0 && len(r.delays) > 0 {
		pause := r.delays[0]
		r.delays = r.delays[1:]
		if err := r.recent.Sleep(ctx, pause); err != nil {
			return err
		}
		if err := look(late); err != nil {
			return err
		}
		late = outdated()
	}
	return nil
}

// relistUntilShown lists first what is to be listed for several buckets too, and then again and again what is outdated.
func (r *reader) relistUntilShown(ctx context.Context, kinds, multiBucket []*kind.Kind, s *kind.Snapshot) (*kind.Snapshot, error) {
	list := func(kinds []*kind.Kind) (err error) {
		if err := r.listObjects(ctx, kinds, true); err != nil {
			return err
		}
		s, err = kind.NewSnapshot(r.account, r.kinds, r.rawByKind)
		return err
	}
	if len(multiBucket) > 0 {
		if err := list(multiBucket); err != nil {
			return nil, err
		}
	}
	err := r.lookAgain(ctx, func() []addr.StateEntry { return r.outdatedIn(s, kinds) }, func(late []addr.StateEntry) error {
		return list(slices.DeleteFunc(slices.Clone(kinds), func(k *kind.Kind) bool { return len(entriesOf(k, late)) == 0 }))
	})
	return s, err
}

// reReadChildrenUntilShown reads again and again those parts of other objects that are outdated in the snapshot.
func (r *reader) reReadChildrenUntilShown(ctx context.Context, kinds []*kind.Kind, s *kind.Snapshot) error {
	return r.lookAgain(ctx, func() []addr.StateEntry { return r.outdatedIn(s, kinds) }, func(late []addr.StateEntry) error {
		for _, k := range kinds {
			var ids []string
			for _, e := range entriesOf(k, late) {
				ids = append(ids, e.ID)
			}
			if len(ids) == 0 {
				continue
			}
			found, err := k.List(ctx, r.api, kind.ListFilter{Account: r.account, WantedChildIDs: ids})
			if err != nil {
				return fmt.Errorf("reading the live %s: %w", k.Plural, err)
			}
			if err := s.AddLookedForChildren(k, nil, found); err != nil {
				return err
			}
		}
		return nil
	})
}

func entriesOf(k *kind.Kind, entries []addr.StateEntry) (of []addr.StateEntry) {
	for _, e := range entries {
		if e.Addr.Kind == k.Name {
			of = append(of, e)
		}
	}
	return of
}
