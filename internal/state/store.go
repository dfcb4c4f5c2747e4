package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"b2form/schema/addr"
	"b2form/schema/wire"
)

// A Backend is a place where a state is kept: Local or Shared. Errors are
// *Error, or those of contexts.
type Backend interface {
	// Read gives the state as it is stored now, with what an interrupted or still
	// running run has announced. It takes no lock and changes nothing.
	Read(ctx context.Context) (*State, error)
	// Open locks the state and gives it for changing.
	Open(ctx context.Context, o Options) (*Store, error)
	// Holder says who holds the lock; nil: nobody.
	Holder(ctx context.Context) (*LockedError, error)
	// Break takes the lock away from its holder and says who that was; nil:
	// nobody held it.
	Break(ctx context.Context) (*LockedError, error)
}

var (
	_ Backend = Local{}
	_ Backend = Shared{}
)

// Options are what opening a state takes. Now is required.
type Options struct {
	Now       func() time.Time
	Operation string        // for those who find the state locked: "apply"
	Who       string        // likewise: "user@host"
	Wait      time.Duration // how long to try for the lock; 0: once
	// Waiting is called once, before a wait begins, with what is known of the
	// holder. May be nil.
	Waiting func(holder *LockedError)
	NoLock  bool // take no lock and do not mind who holds it
}

// A Store is the state, opened for changing it. Until Close nobody else can
// open it. All methods are safe for concurrent use, and every change but those of
// Bind and SetApplied is durable when its method returns: concurrent changes share one write.
//
// A fact that could not be written (Put, Forget, Drop, Strike, MoveAndPut returned an error)
// is still known to the Store, and Close tries again to save it. An
// announcement that could not be written (Begin) is forgotten, as the create
// must not follow.
type Store struct {
	path    string // what messages call the state
	now     func() time.Time
	storage storage
	group   *groupCommit

	mu      sync.Mutex
	base    *State // as read
	changes changes
	closed  bool

	unwrittenLines []byte         // lines that the next change takes along
	writing        sync.WaitGroup // changes on their way to the journal
}

// A storage is where a Store keeps what it is told. Its errors are *Error.
type storage interface {
	// append makes lines of the journal durable. One call at a time.
	append(lines []byte) error
	// close makes s the stored state in place of the one before and of the
	// journal, and unlocks it whatever comes of that. nil: what is stored says the
	// same already.
	close(s *State) error
	// check is Store.Check, call is Store.Call, stats is Store.Stats.
	check() error
	call(ctx context.Context, api wire.API, method string, in, out any) error
	stats() Stats
}

func newStore(path string, k storage, base *State, c changes) *Store {
	return &Store{path: path, storage: k, group: newGroup(k.append), base: base, changes: c}
}

// Check reports whether the state is still locked for this Store: nil, or an
// *Error that says why nothing must be done any more. It asks nobody, so it may
// be called before every step that has an effect.
func (s *Store) Check() error { return s.storage.check() }

// Call is api.Call. Where the state is kept in a bucket and the call updates
// that same bucket, it is lined up with the Store's own updates, so that neither
// is in the other's way: an ifRevisionIs that only the Store's updates have
// outdated is brought up to date, and the Store's own info pairs are kept.
func (s *Store) Call(ctx context.Context, api wire.API, method string, in, out any) error {
	return s.storage.call(ctx, api, method, in, out)
}

// State gives a copy of what is recorded now. Entries are sorted by address,
// open intents by address and identity.
func (s *Store) State() *State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes.applyTo(s.base)
}

// Entry is what is recorded of an address now; ok is false where nothing is.
func (s *Store) Entry(addr addr.Addr) (e addr.Entry, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok = s.entry(addr)
	return cloneEntry(e), ok
}

// Bind says whose objects are recorded. The first use sets it; afterwards
// another account or realm is an *Error that names both. It becomes durable with
// the first change that follows, or with Close.
func (s *Store) Bind(accountID, realm string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := binding{s.base.AccountID, s.base.Realm}
	if s.changes.bound != nil {
		now = *s.changes.bound
	}
	want := binding{accountID, recordedRealm(realm)}
	switch now {
	case want:
		return nil
	case binding{}:
		r := record{Bind: &want}
		s.changes.apply(&r)
		s.unwrittenLines = append(s.unwrittenLines, r.line()...)
		return nil
	}
	return &Error{
		Summary: "State belongs to another account",
		Detail: fmt.Sprintf("%s records objects of account %s at %s, but the credentials in use are of account %s at %s. "+
			"Use the credentials of the recorded account, or run b2form in a folder of its own for the other one.",
			s.path, now.AccountID, now.Realm, accountID, want.Realm),
		Path: s.path,
	}
}

// Announce announces creates, before their requests are sent. At is filled in where
// it is zero. Announcing what is open already keeps the older announcement:
// whatever appeared since that one is ours.
//
// On an error nothing is announced and the create must not be sent.
func (s *Store) Announce(intents ...Intent) error {
	return s.change(func() ([]record, error) {
		var r record
		for _, i := range intents {
			i = i.clone()
			if i.At.IsZero() {
				i.At = s.now()
			}
			i.At = i.At.UTC()
			if older, open := s.intent(i.key()); open {
				if !i.At.After(older.At) {
					continue
				}
				i.KnownIDs = slices.Clone(older.KnownIDs)
			}
			r.Begin = append(r.Begin, i)
		}
		if r.Begin == nil {
			return nil, nil
		}
		return []record{r}, nil
	})
}

// Put records objects, in place of what their addresses held. It closes the
// Intent with the entry's address and identity, unless the entry's ID is among
// those the Intent knew before: then the announced object is still in doubt.
func (s *Store) Put(entries ...addr.Entry) error {
	return s.change(func() ([]record, error) { return s.putRecords(entries, s.intent), nil })
}

// PutInDoubt records an object as Put does, but the Intent of its create stays open
// and knows the object: an earlier attempt at it may still make another one.
func (s *Store) PutInDoubt(e addr.Entry) error {
	return s.change(func() ([]record, error) {
		records := s.putRecords([]addr.Entry{e}, func(intentKey) (Intent, bool) { return Intent{}, false })
		if open, ok := s.intent(intentKey{e.Addr, e.Identity}); ok && !slices.Contains(open.KnownIDs, e.ID) {
			open = open.clone()
			open.KnownIDs, open.RecordedID = append(open.KnownIDs, e.ID), e.ID
			records[0].Begin = []Intent{open} // in one line: whoever is killed here has told both or nothing
		}
		return records, nil
	})
}

// putRecords are the records of entries; intent finds what is open.
func (s *Store) putRecords(entries []addr.Entry, intent func(intentKey) (Intent, bool)) []record {
	records := make([]record, len(entries))
	for i, e := range entries {
		e = cloneEntry(e)
		e.Created, e.Adopted = e.Created.UTC(), e.Adopted.UTC() // the file must not depend on the machine's zone
		records[i].Put = &e
		k := intentKey{e.Addr, e.Identity}
		if open, ok := intent(k); ok && !slices.Contains(open.KnownIDs, e.ID) {
			records[i].Drop = []intentKey{k}
		}
	}
	return records
}

// PutDigests records the digests of entries and nothing else of them, all in one write. One whose
// address has another object by now is passed over.
func (s *Store) PutDigests(entries ...addr.Entry) error {
	return s.change(func() ([]record, error) {
		var records []record
		for _, now := range entries {
			if e, ok := s.entry(now.Addr); ok && e.ID == now.ID {
				e = cloneEntry(e)
				e.Digests = now.Digests
				records = append(records, record{Put: &e})
			}
		}
		return records, nil
	})
}

// Forget removes the entries of addresses; one that has none is passed over.
func (s *Store) Forget(addrs ...addr.Addr) error {
	return s.change(func() ([]record, error) {
		var records []record
		for _, a := range addrs {
			if _, ok := s.entry(a); ok {
				records = append(records, record{Forget: &a})
			}
		}
		return records, nil
	})
}

// Drop closes Intents whose creates are known not to have taken effect, or whose
// objects have been dealt with; all that counts of each are its address and its
// identity. One that is not open is passed over.
func (s *Store) Drop(intents ...Intent) error {
	return s.change(func() ([]record, error) {
		var r record
		for _, i := range intents {
			if _, open := s.intent(i.key()); open {
				r.Drop = append(r.Drop, i.key())
			}
		}
		if r.Drop == nil {
			return nil, nil
		}
		return []record{r}, nil
	})
}

// SetApplied records what was applied, in place of what the last apply had recorded. It
// becomes durable like what Bind says.
func (s *Store) SetApplied(a Applied) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.base.Applied
	if s.changes.applied != nil {
		now = *s.changes.applied
	}
	if now != a {
		r := record{Applied: &a}
		s.changes.apply(&r)
		s.unwrittenLines = append(s.unwrittenLines, r.line()...)
	}
}

// RemoveRetiree takes an object that is gone out of the list of an entry's retirees.
// Without such an entry or retiree nothing is written.
func (s *Store) RemoveRetiree(of addr.Addr, id string) error {
	return s.change(func() ([]record, error) {
		e, ok := s.entry(of)
		isGone := func(old addr.Retiree) bool { return old.ID == id }
		if !ok || !slices.ContainsFunc(e.Retiring, isGone) {
			return nil, nil
		}
		e.Retiring = slices.DeleteFunc(slices.Clone(e.Retiring), isGone)
		return []record{{Put: &e}}, nil
	})
}

// A EntryMove is an entry that gets another address.
type EntryMove struct{ From, To addr.Addr }

// Move gives an entry, and what is open for its address, another address. It is
// an *Error when from has no entry, to has one, or their kinds differ.
func (s *Store) Move(from, to addr.Addr) error { return s.MoveAndPut([]EntryMove{{from, to}}, nil) }

// MoveAndPut gives entries other addresses, as Move does, one after the other, and
// then records entries, as Put does, all in one write. On an *Error nothing is
// changed.
func (s *Store) MoveAndPut(moves []EntryMove, entries []addr.Entry) error {
	return s.change(func() ([]record, error) {
		var records []record
		now := map[addr.Addr]*addr.Entry{} // after the moves so far; nil: none
		var open []Intent
		if len(moves) > 0 {
			open = s.changes.applyTo(s.base).Open
		}
		for _, m := range moves {
			e, err := s.movedEntry(m, now)
			if err != nil {
				return nil, err
			}
			e.Addr = m.To
			now[m.From], now[m.To] = nil, e
			r := record{Forget: &m.From, Put: e}
			for i := range open {
				if open[i].Addr == m.From {
					r.Drop = append(r.Drop, open[i].key())
					open[i].Addr = m.To
					r.Begin = append(r.Begin, open[i].clone())
				}
			}
			records = append(records, r)
		}
		return append(records, s.putRecords(entries, func(k intentKey) (Intent, bool) {
			if i := slices.IndexFunc(open, func(i Intent) bool { return i.key() == k }); i >= 0 {
				return open[i], true
			}
			return s.intent(k)
		})...), nil
	})
}

// movedEntry is a copy of the entry that moves.
func (s *Store) movedEntry(m EntryMove, now map[addr.Addr]*addr.Entry) (*addr.Entry, error) {
	at := func(addr addr.Addr) *addr.Entry {
		if e, changed := now[addr]; changed {
			return e
		}
		if e, ok := s.entry(addr); ok {
			return &e
		}
		return nil
	}
	var wrong Error
	e := at(m.From)
	switch {
	case m.From.Kind != m.To.Kind:
		wrong.Summary = "Kinds differ"
		wrong.Detail = fmt.Sprintf("%s is a %s and cannot become a %s.", m.From, m.From.Kind, m.To.Kind)
	case e == nil:
		wrong.Summary = "Nothing to move"
		wrong.Detail = fmt.Sprintf("The state has no %s. `b2form state list` shows what it has.", m.From)
	case at(m.To) != nil:
		wrong.Summary = "Address is taken"
		wrong.Detail = fmt.Sprintf("The state has a %s already. Move or remove that one first.", m.To)
	default:
		e := cloneEntry(*e)
		return &e, nil
	}
	wrong.Path = s.path
	return nil, &wrong
}

// Stats gives what was written since Open. Shared: each move of the pointer
// counts as one sync.
func (s *Store) Stats() Stats { return s.storage.stats() }

// Close saves the state and unlocks it. What already says the same is not
// touched. On an *Error the state is unlocked too, and the journal keeps what
// was made durable; the next run reads it. Closing again does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.writing.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes.alter(s.base) {
		return s.storage.close(s.changes.applyTo(s.base))
	}
	return s.storage.close(nil)
}

// change applies and writes the records that decide gives after a look at what
// is recorded.
func (s *Store) change(decide func() ([]record, error)) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errors.New("state: the store is closed")
	}
	todo, err := decide()
	if err != nil || len(todo) == 0 {
		s.mu.Unlock()
		return err
	}
	unwritten := s.unwrittenLines
	lines := slices.Clone(unwritten)
	s.unwrittenLines = nil
	for i := range todo {
		s.changes.apply(&todo[i])
		lines = append(lines, todo[i].line()...)
	}
	b, leads := s.group.enqueue(lines)
	s.writing.Add(1)
	defer s.writing.Done()
	s.mu.Unlock()
	err = s.group.commit(b, leads)
	if err != nil {
		s.retract(todo, unwritten)
	}
	return err
}

// retract takes back announcements; facts stay, as they are true. Lines that the
// change was to take along go with the next one.
func (s *Store) retract(records []record, lines []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unwrittenLines = append(s.unwrittenLines, lines...)
	for _, r := range records {
		for _, i := range r.Begin {
			if r.Put == nil {
				s.changes.open[i.key()] = nil
			}
		}
	}
}

func (s *Store) entry(a addr.Addr) (addr.Entry, bool) {
	if e, changed := s.changes.entries[a]; changed {
		if e == nil {
			return addr.Entry{}, false
		}
		return *e, true
	}
	return s.base.Find(a)
}

func (s *Store) intent(k intentKey) (Intent, bool) {
	if i, changed := s.changes.open[k]; changed {
		if i == nil {
			return Intent{}, false
		}
		return *i, true
	}
	return s.base.intent(k)
}
