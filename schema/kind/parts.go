package kind

import (
	"slices"
	"strings"

	"b2form/schema/wire"
)

// What is part of other objects is not read as a whole: an account may hold
// millions of files. A Snapshot has what was looked for, and knows what that was.

// A Listing asks for what is part of one object.
type Listing struct {
	Holder string // identity of that object, in its normal form
	Prefix string // of the names
	Most   int    // the first so many, by name
}

// A Found is what a Listing came to, by name.
type Found struct {
	Objects []*Object
	More    bool // there are more than it asked for
}

// Asked reports whether the snapshot can tell that there is an object with the
// identity, or none.
func (s *Snapshot) Asked(k *Kind, identity string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.kinds[k.Name]
	return o != nil && (o.whole || o.asked[identity])
}

// Found is what a listing came to; nil: it was not asked for.
func (s *Snapshot) Found(k *Kind, l Listing) *Found {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.kinds[k.Name]
	if o == nil {
		return nil
	}
	if found := o.found[l]; found != nil || !o.whole {
		return found
	}
	found := &Found{}
	for _, part := range o.list {
		if strings.HasPrefix(part.Identity, l.Holder+"/"+l.Prefix) {
			found.Objects = append(found.Objects, part)
		}
	}
	slices.SortFunc(found.Objects, func(a, b *Object) int { return strings.Compare(a.Identity, b.Identity) })
	if found.More = len(found.Objects) > l.Most; found.More {
		found.Objects = found.Objects[:l.Most]
	}
	return found
}

// AddParts puts in what there is of the identities that were looked for.
func (s *Snapshot) AddParts(k *Kind, identities []string, list []wire.JSON) error {
	from := s.parts(k).from
	for _, raw := range list {
		o, err := from.object(raw)
		if err != nil {
			return err
		}
		s.put(o)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, identity := range identities {
		s.kinds[k.Name].asked[identity] = true
	}
	return nil
}

// AddFound puts in what a listing came to.
func (s *Snapshot) AddFound(k *Kind, l Listing, list []wire.JSON, more bool) error {
	from := s.parts(k).from
	found := &Found{More: more}
	for _, raw := range list {
		o, err := from.object(raw)
		if err != nil {
			return err
		}
		found.Objects = append(found.Objects, o)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kinds[k.Name].found[l] = found
	return nil
}

// parts makes sure that the kind counts as read.
func (s *Snapshot) parts(k *Kind) *objects {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.kinds[k.Name]
	if o == nil {
		o = &objects{from: newReading(k, s.Name, s.Account), byID: map[string]*Object{}, byIdentity: map[string][]*Object{}}
		s.kinds[k.Name] = o
	}
	if o.asked == nil {
		o.asked, o.found = map[string]bool{}, map[Listing]*Found{}
	}
	return o
}
