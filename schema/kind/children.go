package kind

import (
	"slices"
	"strings"

	"b2form/schema/wire"
)

// What is part of other objects is not read as a whole: an account may hold
// millions of files. A Snapshot has what was looked for, and knows what that was.

// A ChildListQuery asks for what is part of one object.
type ChildListQuery struct {
	ParentIdentity string // identity of that object, in its normal form
	Prefix         string // of the names
	Limit          int    // the first so many, by name
	// Delimiter ends the name of a folder: what is within one behind the prefix is not
	// listed, but the folder is. "": there are no folders.
	Delimiter          string
	EarlierVersionsToo bool // earlier versions too
}

// A childListing is what a ChildListQuery came to, by name.
type childListing struct {
	Objects []*Object
	Folders []string // their names from the beginning, with the delimiter
	More    bool     // there are more than it asked for
}

// CanTellIfExists reports whether the snapshot can tell that there is an object with the
// identity, or none.
func (s *Snapshot) CanTellIfExists(k *Kind, identity string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.objectsByKind[k.Name]
	return o != nil && (o.complete || o.lookedForIdentities[identity])
}

// FindChildListing is what a listing came to; nil: it was not asked for.
func (s *Snapshot) FindChildListing(k *Kind, l ChildListQuery) *childListing {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.objectsByKind[k.Name]
	if o == nil {
		return nil
	}
	if found := o.listings[l]; found != nil || !o.complete {
		return found
	}
	found := &childListing{}
	for _, part := range o.sortedByID {
		rest, ok := strings.CutPrefix(part.Identity, l.ParentIdentity+"/"+l.Prefix)
		folder, _, within := strings.Cut(rest, l.Delimiter)
		switch {
		case !ok:
		case l.Delimiter == "" || !within:
			found.Objects = append(found.Objects, part)
		default:
			found.Folders = append(found.Folders, l.Prefix+folder+l.Delimiter)
		}
	}
	slices.Sort(found.Folders)
	found.Folders = slices.Compact(found.Folders)
	slices.SortFunc(found.Objects, func(a, b *Object) int { return strings.Compare(a.Identity, b.Identity) })
	if found.More = len(found.Objects) > l.Limit; found.More {
		found.Objects = found.Objects[:l.Limit]
	}
	return found
}

// AddLookedForChildren puts in what there is of the identities that were looked for.
func (s *Snapshot) AddLookedForChildren(k *Kind, identities []string, list []wire.RawJSON) error {
	from := s.markKindRead(k).decoder
	for _, raw := range list {
		o, err := from.undecodedObject(raw)
		if err != nil {
			return err
		}
		s.put(o)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, identity := range identities {
		s.objectsByKind[k.Name].lookedForIdentities[identity] = true
	}
	return nil
}

// AddListing puts in what a listing came to.
func (s *Snapshot) AddListing(k *Kind, l ChildListQuery, list []wire.RawJSON, folders []string, more bool) error {
	from := s.markKindRead(k).decoder
	found := &childListing{Folders: folders, More: more}
	for _, raw := range list {
		o, err := from.undecodedObject(raw)
		if err != nil {
			return err
		}
		found.Objects = append(found.Objects, o)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objectsByKind[k.Name].listings[l] = found
	return nil
}

// markKindRead makes sure that the kind counts as read.
func (s *Snapshot) markKindRead(k *Kind) *kindObjects {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.objectsByKind[k.Name]
	if o == nil {
		o = &kindObjects{decoder: newObjectDecoder(k, s.NameUnlessNamesRepeat, s.Account), byID: map[string]*Object{},
			byIdentity: map[string][]*Object{}}
		s.objectsByKind[k.Name] = o
	}
	if o.lookedForIdentities == nil {
		o.lookedForIdentities, o.listings = map[string]bool{}, map[ChildListQuery]*childListing{}
	}
	return o
}
