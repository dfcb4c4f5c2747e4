package kind

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/wire"
)

// A Snapshot is what is live, as the credentials in use may see it. Objects
// keep their JSON and are decoded when looked at: a plan touches few of them.
//
// It is safe for concurrent use.
type Snapshot struct {
	Account              *wire.Account
	credentialScopeKinds map[string]*Kind // kinds whose objects credentials may be limited to
	mu                   sync.RWMutex     // guards kinds and all in it
	objectsByKind        map[string]*kindObjects
}

// Elements of the lists are never changed: who was given a list may keep it.
type kindObjects struct {
	decoder             *objectDecoder
	complete            bool            // all that there are; else those that were asked for
	lookedForIdentities map[string]bool // identities that were looked for
	listings            map[ChildListQuery]*childListing
	sortedByID          []*Object // in the order of their IDs
	byID                map[string]*Object
	byIdentity          map[string][]*Object
	expired             map[string]*Object // by ID: objects that are gone by the clock although B2 still lists them
}

// An Object is one live object.
type Object struct {
	Kind     *Kind
	ID       string
	Identity string // in its normal form
	Raw      wire.RawJSON
	decoder  *objectDecoder
	expires  time.Time // zero: never
}

// nameLookup turns the remote ID of an object of a kind into its name; ok is false
// where no live object has the ID.
type nameLookup func(kind, id string) (name string, ok bool)

// NewSnapshot builds a Snapshot from the raw objects of each kind. A kind that
// is absent from raw was not read. Every object is valid JSON, as it came in a
// reply; one without ID or identity is an error: that is not what B2 sends.
func NewSnapshot(account *wire.Account, kinds []*Kind, raw map[string][]wire.RawJSON) (*Snapshot, error) {
	s := &Snapshot{Account: account, objectsByKind: make(map[string]*kindObjects, len(raw)), credentialScopeKinds: map[string]*Kind{}}
	for _, k := range kinds {
		if k.AllowedObjects != nil {
			s.credentialScopeKinds[k.Name] = k
		}
		list, read := raw[k.Name]
		if !read {
			continue
		}
		o := &kindObjects{
			decoder:    newObjectDecoder(k, s.NameUnlessNamesRepeat, account),
			complete:   true,
			sortedByID: make([]*Object, 0, len(list)),
			byID:       make(map[string]*Object, len(list)),
			byIdentity: make(map[string][]*Object, len(list)),
		}
		for _, r := range list {
			obj, err := o.decoder.undecodedObject(r)
			if err != nil {
				return nil, err
			}
			if same := o.byID[obj.ID]; same != nil && same.Identity != obj.Identity {
				return nil, wire.UntrueReply("B2 answered two names for the %s with the ID %.100q: %.100q and %.100q", k.Name, obj.ID,
					same.Identity, obj.Identity)
			} else if same != nil {
				continue // two API versions may list the same object
			}
			o.sortedByID = append(o.sortedByID, obj)
			o.byID[obj.ID] = obj
		}
		sort.Slice(o.sortedByID, func(i, j int) bool { return o.sortedByID[i].ID < o.sortedByID[j].ID })
		for _, obj := range o.sortedByID {
			if same := o.byIdentity[obj.Identity]; len(same) > 0 && k.NameTakenCode != "" {
				return nil, wire.UntrueReply("B2 answered two %s with the name %.100q, which it allows only once: ID %.100q and %.100q",
					k.Plural, obj.Identity, same[0].ID, obj.ID)
			}
			o.byIdentity[obj.Identity] = append(o.byIdentity[obj.Identity], obj)
		}
		s.objectsByKind[k.Name] = o
	}
	return s, nil
}

// undecodedObject reads only the ID and the identity of a raw object.
func (r *objectDecoder) undecodedObject(raw wire.RawJSON) (*Object, error) {
	id, identity, err := r.kind.identify(raw, r.lookupName)
	if err != nil {
		return nil, err
	}
	if of := gjson.Get(string(raw), "accountId"); of.Exists() && r.expectedAccountID != "" && of.Str != r.expectedAccountID {
		return nil, wire.UntrueReply("B2 answered that %s %.100q belongs to account %.40q, but the credentials in use are of account %q",
			r.kind.Name, identity, of.String(), r.expectedAccountID)
	}
	o := &Object{Kind: r.kind, ID: id, Identity: identity, Raw: raw, decoder: r}
	if c := r.kind.Credential; c != nil {
		if at := gjson.Get(string(raw), r.kind.FindAttr(c.ExpiryAttr).livePath()); at.Type == gjson.Number {
			o.expires = time.UnixMilli(at.Int()).UTC()
		}
	}
	return o, nil
}

// DropExpired takes out what has ended by itself. B2 may list it for some time, but it is
// nobody's any more, and its name is free.
func (s *Snapshot) DropExpired(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.objectsByKind {
		isOver := func(o *Object) bool { return !o.expires.IsZero() && !o.expires.After(now) }
		if !slices.ContainsFunc(k.sortedByID, isOver) {
			continue
		}
		k.expired = map[string]*Object{}
		for _, o := range k.sortedByID {
			if isOver(o) {
				k.expired[o.ID] = o
				delete(k.byID, o.ID)
				k.byIdentity[o.Identity] = slices.DeleteFunc(slices.Clone(k.byIdentity[o.Identity]), isOver)
			}
		}
		k.sortedByID = slices.DeleteFunc(slices.Clone(k.sortedByID), isOver)
	}
}

// FindExpired finds an object that ended, by the clock, and that B2 still listed; nil: there is none.
func (s *Snapshot) FindExpired(k *Kind, id string) (expiredOrNil *Object, at time.Time) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if o := s.objectsByKind[k.Name]; o != nil && o.expired[id] != nil {
		return o.expired[id], o.expired[id].expires
	}
	return nil, time.Time{}
}

// NewObject wraps a raw object as a reply carries it.
func (s *Snapshot) NewObject(k *Kind, raw wire.RawJSON) (*Object, error) {
	s.mu.RLock()
	o := s.objectsByKind[k.Name]
	s.mu.RUnlock()
	if o != nil {
		return o.decoder.undecodedObject(raw)
	}
	return newObjectDecoder(k, s.NameUnlessNamesRepeat, s.Account).undecodedObject(raw)
}

// Add puts an object made after the reading into the snapshot, or replaces the
// one with its ID.
func (s *Snapshot) Add(o *Object) {
	s.put(o)
	s.mu.RLock()
	readings := make([]*objectDecoder, 0, len(s.objectsByKind))
	for _, k := range s.objectsByKind {
		readings = append(readings, k.decoder)
	}
	s.mu.RUnlock()
	for _, r := range readings { // not under the lock: who decodes asks for names
		r.clearDecoded()
	}
}

func (s *Snapshot) put(o *Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.objectsByKind[o.Kind.Name]
	if k == nil {
		k = &kindObjects{decoder: o.decoder, byID: map[string]*Object{}, byIdentity: map[string][]*Object{}}
		s.objectsByKind[o.Kind.Name] = k
	}
	old := k.byID[o.ID]
	k.byID[o.ID] = o
	k.sortedByID = replaceOrAppend(k.sortedByID, old, o)
	if old != nil && old.Identity != o.Identity {
		k.byIdentity[old.Identity] = slices.DeleteFunc(slices.Clone(k.byIdentity[old.Identity]), func(x *Object) bool { return x == old })
	}
	k.byIdentity[o.Identity] = replaceOrAppend(k.byIdentity[o.Identity], old, o)
}

// replaceOrAppend is the list with o in the place of old, or behind the rest.
func replaceOrAppend(list []*Object, old, o *Object) []*Object {
	if old != nil {
		if i := slices.Index(list, old); i >= 0 {
			list = slices.Clone(list)
			list[i] = o
			return list
		}
	}
	return append(list, o)
}

// WasReadAtAll reports whether the kind's live objects were read at all.
func (s *Snapshot) WasReadAtAll(k *Kind) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.objectsByKind[k.Name] != nil
}

// AllRead lists the kind's live objects in the order of their IDs.
func (s *Snapshot) AllRead(k *Kind) []*Object {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if o := s.objectsByKind[k.Name]; o != nil {
		return o.sortedByID
	}
	return nil
}

// ByID finds a live object by its remote ID; nil: there is none.
func (s *Snapshot) ByID(k *Kind, id string) *Object {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if o := s.objectsByKind[k.Name]; o != nil {
		return o.byID[id]
	}
	return nil
}

// ByIdentity finds the live objects with an identity, by ID. More than one is
// possible where B2 does not keep names unique.
func (s *Snapshot) ByIdentity(k *Kind, identity string) []*Object {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if o := s.objectsByKind[k.Name]; o != nil {
		return o.byIdentity[identity]
	}
	return nil
}

// IDsOf lists the remote IDs of the live objects with an identity. What credentials
// are limited to and may not list is known by what authorize says of them.
func (s *Snapshot) IDsOf(k *Kind, identity string) []string {
	var ids []string
	for _, o := range s.ByIdentity(k, identity) {
		ids = append(ids, o.ID)
	}
	if len(ids) > 0 {
		return ids
	}
	for _, b := range s.allowedObjects(k) {
		if b.Name != "" && k.NormalizeIdentity(b.Name) == identity {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

func (s *Snapshot) allowedObjects(k *Kind) []wire.AllowedBucket {
	if s.Account == nil || k.AllowedObjects == nil {
		return nil
	}
	list, _ := k.AllowedObjects(s.Account)
	return list
}

// NameUnlessNamesRepeat turns the remote ID of an object of a kind into its name; ok is false where
// none is known. What credentials are limited to and may not list is known by what
// authorize says of them. Of a kind whose objects may share a name nothing has one
// here: who plans knows which of them is meant.
func (s *Snapshot) NameUnlessNamesRepeat(kind, id string) (name string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if o := s.objectsByKind[kind]; o != nil {
		if obj := o.byID[id]; obj != nil && !obj.Kind.NamesRepeat {
			return obj.Identity, true
		}
	}
	if k := s.credentialScopeKinds[kind]; k != nil {
		for _, b := range s.allowedObjects(k) {
			if b.ID == id && b.Name != "" {
				return b.Name, true
			}
		}
	}
	return "", false
}

// Values decodes the object: every attribute of its kind, hidden ones unknown.
// An error means that the reply was not what B2 sends; it names the attribute.
func (o *Object) Values() (Values, error) {
	v, err := o.decoder.decode(o.Raw)
	if err != nil {
		return v, fmt.Errorf("%s %q: %w", o.Kind.Name, o.Identity, err)
	}
	return v, nil
}

// Value is Values as a cty object.
func (o *Object) Value() (cty.Value, error) {
	v, err := o.Values()
	if err != nil {
		return cty.NilVal, err
	}
	return v.ObjectWithoutUnset(), nil
}

// JSONMembers is the object's JSON as a map.
func (o *Object) JSONMembers() (map[string]any, error) {
	var m map[string]any
	in := json.NewDecoder(strings.NewReader(string(o.Raw)))
	in.UseNumber() // as B2 wrote it: a revision is sent back
	if err := in.Decode(&m); err != nil {
		return nil, fmt.Errorf("%s %q: %w", o.Kind.Name, o.Identity, err)
	}
	return m, nil
}

// ComputedWithoutSecrets lists a live object's computed attributes but its secrets; ok is
// false where no live object has the ID or its JSON cannot be read.
func (s *Snapshot) ComputedWithoutSecrets(k *Kind, id string) (computed map[string]cty.Value, ok bool) {
	o := s.ByID(k, id)
	if o == nil {
		return nil, false
	}
	v, err := o.Values()
	if err != nil {
		return nil, false
	}
	computed = map[string]cty.Value{}
	for _, a := range k.ComputedAttrs() {
		if !a.Secret {
			computed[a.Name] = v.GetAttr(a.Name)
		}
	}
	return computed, true
}
