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

// A Backend is a place where a state is kept: LocalFile or SharedBucket. Errors are
// *Error, or those of contexts.
type Backend interface {
	// Read gives the state as it is stored now, with what an interrupted or still
	// running run has announced. It takes no lock and changes nothing.
	Read(ctx context.Context) (*State, error)
	// Open locks the state and gives it for changing.
	Open(ctx context.Context, o Options) (*Store, error)
	// LockHolder says who holds the lock; nil: nobody.
	LockHolder(ctx context.Context) (*LockedError, error)
	// BreakLock takes the lock away from its holder and says who that was; nil:
	// nobody held it.
	BreakLock(ctx context.Context) (*LockedError, error)
}

var (
	_ Backend = LocalFile{}
	_ Backend = BucketBackend{}
)

// Options are what opening a state takes. Now is required.
type Options struct {
	Now         func() time.Time
	Operation   string        // for those who find the state locked: "apply"
	LockOwner   string        // likewise: "user@host"
	LockTimeout time.Duration // how long to try for the lock; 0: once
	// OnWait is called once, before a wait begins, with what is known of the
	// holder. May be nil.
	OnWait func(holder *LockedError)
	// Sleep returns after d, or earlier with the context's error: between tries for the lock. nil: a timer.
	Sleep  func(ctx context.Context, d time.Duration) error
	NoLock bool // take no lock and do not mind who holds it
	// ReplacesLost says that another state is to be stored, also where a bucket has files of a state and no pointer to them.
	ReplacesLost bool
}

// A Store is the state, opened for changing it. Until Close nobody else can
// open it. All methods are safe for concurrent use, and every change but those of
// BindAccount and SetApplied is durable when its method returns: concurrent changes share one write.
//
// A fact that could not be written (PutEntriesCloseIntents, ForgetEntries, DropIntents, RemoveRetiree, MoveAndPut returned an error)
// is still known to the Store, and Close tries again to save it. An
// announcement that could not be written (AnnounceCreates) is forgotten, as the create
// must not follow.
type Store struct {
	displayName string // what messages call the state
	now         func() time.Time
	storage     storage
	groupCommit *groupCommit

	mu        sync.Mutex
	baseState *State // as read
	changes   changes
	closed    bool

	unwrittenLines []byte         // lines that the next change takes along
	pendingWrites  sync.WaitGroup // changes on their way to the journal
}

// A storage is where a Store keeps what it is told. Its errors are *Error.
type storage interface {
	// append makes lines of the journal durable. One call at a time.
	append(lines []byte) error
	// close makes s the stored state in place of the one before and of the
	// journal, and unlocks it whatever comes of that. nil: what is stored says the
	// same already.
	close(s *State) error
	checkStateStillOurs() error // Store.CheckLocked
	stats() WriteStats          // Store.Stats
}

func newStore(displayName string, k storage, base *State, c changes) *Store {
	return &Store{displayName: displayName, storage: k, groupCommit: newGroupCommit(k.append), baseState: base, changes: c}
}

// CheckLocked reports whether the state is still locked for this Store: nil, or an
// *Error that says why nothing must be done any more. It asks nobody, so it may
// be called before every step that has an effect.
func (s *Store) CheckLocked() error { return s.storage.checkStateStillOurs() }

// ConfirmLocked is CheckLocked before an effect that nothing takes back: where the last answer about the lock is too old to
// rely on, whoever keeps the state is asked.
func (s *Store) ConfirmLocked() error {
	if b, ok := s.storage.(*bucketStorage); ok { // the others ask in any check
		b.renewLeaseIfOlder(maxCheckAge)
	}
	return s.CheckLocked()
}

// CallInTurn is api.Call. Where the state is kept in a bucket and the call updates
// that same bucket, it is lined up with the Store's own updates, so that neither
// is in the other's way: an ifRevisionIs that only the Store's updates have
// outdated is brought up to date, and the Store's own info pairs are kept.
func (s *Store) CallInTurn(ctx context.Context, api wire.API, method string, in, out any) error {
	if b, ok := s.storage.(*bucketStorage); ok {
		return b.callInTurnIfBucketUpdate(ctx, api, method, in, out)
	}
	return api.Call(ctx, method, in, out)
}

// State gives a copy of what is recorded now. Entries are sorted by address,
// open intents by address and identity.
func (s *Store) State() *State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes.applyTo(s.baseState)
}

// Entry is what is recorded of an address now; ok is false where nothing is.
func (s *Store) Entry(addr addr.Addr) (e addr.StateEntry, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok = s.currentEntry(addr)
	return cloneEntry(e), ok
}

// BindAccount says whose objects are recorded. The first use sets it; afterwards
// another account or realm is an *Error that names both. It becomes durable with
// the first change that follows, or with Close.
func (s *Store) BindAccount(accountID, realm string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := accountBinding{s.baseState.AccountID, s.baseState.Realm}
	if s.changes.binding != nil {
		now = *s.changes.binding
	}
	want := accountBinding{accountID, realmWithoutLoopbackPort(realm)}
	switch now {
	case want:
		return nil
	case accountBinding{}:
		r := journalRecord{Bind: &want}
		s.changes.applyRecord(&r)
		s.unwrittenLines = append(s.unwrittenLines, r.encodeLine()...)
		return nil
	}
	return newError(s.displayName, "State belongs to another account",
		fmt.Sprintf("%s records objects of account %s at %s, but the credentials in use are of account %s at %s. "+
			"Use the credentials of the recorded account, or run b2form in a folder of its own for the other one.",
			s.displayName, now.AccountID, now.Realm, accountID, want.Realm))
}

// AnnounceCreates announces creates, before their requests are sent. AnnouncedAt is filled in where
// it is zero. Announcing what is open already keeps the older announcement:
// whatever appeared since that one is ours. Only where the older one says nothing of objects limited
// to several buckets, what the newer one knows is known too.
//
// On an error nothing is announced and the create must not be sent.
func (s *Store) AnnounceCreates(intents ...CreateIntent) error {
	return s.writeRecords(func() ([]journalRecord, error) {
		var r journalRecord
		for _, i := range intents {
			i = i.clone()
			if i.AnnouncedAt.IsZero() {
				i.AnnouncedAt = s.now()
			}
			i.AnnouncedAt = i.AnnouncedAt.UTC()
			if older, open := s.currentIntent(i.key()); open {
				switch {
				case i.MultiBucket && !older.MultiBucket: // which knew only a part of what was there
					i.KnownIDs = slices.Compact(slices.Sorted(slices.Values(slices.Concat(older.KnownIDs, i.KnownIDs))))
				case !i.AnnouncedAt.After(older.AnnouncedAt):
					continue
				default:
					i.KnownIDs, i.MultiBucket = slices.Clone(older.KnownIDs), older.MultiBucket
				}
			}
			r.Announce = append(r.Announce, i)
		}
		if r.Announce == nil {
			return nil, nil
		}
		return []journalRecord{r}, nil
	})
}

// PutEntriesCloseIntents records objects, in place of what their addresses held. It closes the
// Intent with the entry's address and identity, unless the entry's ID is among
// those the Intent knew before: then the announced object is still in doubt.
func (s *Store) PutEntriesCloseIntents(entries ...addr.StateEntry) error {
	return s.writeRecords(func() ([]journalRecord, error) { return s.buildPutRecords(entries, s.currentIntent), nil })
}

// PutKeepingIntent records an object as PutEntriesCloseIntents does, but the intent of its create stays open
// and knows the object: an earlier attempt at it may still make another one.
func (s *Store) PutKeepingIntent(e addr.StateEntry) error {
	return s.writeRecords(func() ([]journalRecord, error) {
		records := s.buildPutRecords([]addr.StateEntry{e}, func(intentKey) (CreateIntent, bool) { return CreateIntent{}, false })
		if open, ok := s.currentIntent(intentKey{e.Addr, e.Identity}); ok && !slices.Contains(open.KnownIDs, e.ID) {
			open = open.clone()
			open.KnownIDs, open.LaterAttemptObjectID = append(open.KnownIDs, e.ID), e.ID
			records[0].Announce = []CreateIntent{open} // in one line: whoever is killed here has told both or nothing
		}
		return records, nil
	})
}

// buildPutRecords are the records of entries; intent finds what is open.
func (s *Store) buildPutRecords(entries []addr.StateEntry, intent func(intentKey) (CreateIntent, bool)) []journalRecord {
	records := make([]journalRecord, len(entries))
	for i, e := range entries {
		e = cloneEntry(e)
		e.Created, e.Adopted, e.Updated = e.Created.UTC(), e.Adopted.UTC(), e.Updated.UTC() // the file depends on no machine's zone
		records[i].Put = &e
		k := intentKey{e.Addr, e.Identity}
		if open, ok := intent(k); ok && !slices.Contains(open.KnownIDs, e.ID) {
			records[i].Drop = []intentKey{k}
		}
	}
	return records
}

// PutDigests records the digests of entries and when they were updated, and nothing else of them, all in one write. One
// whose address has another object by now is passed over.
func (s *Store) PutDigests(entries ...addr.StateEntry) error {
	return s.writeRecords(func() ([]journalRecord, error) {
		var records []journalRecord
		for _, now := range entries {
			if e, ok := s.currentEntry(now.Addr); ok && e.ID == now.ID {
				e = cloneEntry(e)
				e.DriftDigests, e.Updated = now.DriftDigests, now.Updated.UTC()
				records = append(records, journalRecord{Put: &e})
			}
		}
		return records, nil
	})
}

// ForgetEntries removes the entries of addresses; one that has none is passed over.
func (s *Store) ForgetEntries(addrs ...addr.Addr) error {
	return s.writeRecords(func() ([]journalRecord, error) {
		var records []journalRecord
		for _, a := range addrs {
			if _, ok := s.currentEntry(a); ok {
				records = append(records, journalRecord{Forget: &a})
			}
		}
		return records, nil
	})
}

// DropIntents closes Intents whose creates are known not to have taken effect, or whose
// objects have been dealt with; all that counts of each are its address and its
// identity. One that is not open is passed over.
func (s *Store) DropIntents(intents ...CreateIntent) error {
	return s.writeRecords(func() ([]journalRecord, error) {
		var r journalRecord
		for _, i := range intents {
			if _, open := s.currentIntent(i.key()); open {
				r.Drop = append(r.Drop, i.key())
			}
		}
		if r.Drop == nil {
			return nil, nil
		}
		return []journalRecord{r}, nil
	})
}

// SetApplied records what was applied, in place of what the last apply had recorded. It
// becomes durable like what BindAccount says.
func (s *Store) SetApplied(a AppliedDigests) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.baseState.Applied
	if s.changes.applied != nil {
		now = *s.changes.applied
	}
	if now != a {
		r := journalRecord{Applied: &a}
		s.changes.applyRecord(&r)
		s.unwrittenLines = append(s.unwrittenLines, r.encodeLine()...)
	}
}

// RemoveRetiree takes an object that is gone out of the list of an entry's retirees.
// Without such an entry or retiree nothing is written.
func (s *Store) RemoveRetiree(of addr.Addr, id string) error {
	return s.writeRecords(func() ([]journalRecord, error) {
		e, ok := s.currentEntry(of)
		isGone := func(old addr.RetiringObject) bool { return old.ID == id }
		if !ok || !slices.ContainsFunc(e.Retiring, isGone) {
			return nil, nil
		}
		e.Retiring = slices.DeleteFunc(slices.Clone(e.Retiring), isGone)
		return []journalRecord{{Put: &e}}, nil
	})
}

// An EntryMove is an entry that gets another address.
type EntryMove struct{ From, To addr.Addr }

// MoveEntry gives an entry, and what is open for its address, another address. It is
// an *Error when from has no entry, to has one, or their kinds differ.
func (s *Store) MoveEntry(from, to addr.Addr) error {
	return s.MoveAndPut([]EntryMove{{from, to}}, nil)
}

// MoveAndPut gives entries other addresses, as MoveEntry does, one after the other, and
// then records entries, as PutEntriesCloseIntents does, all in one write. On an *Error nothing is
// changed.
func (s *Store) MoveAndPut(moves []EntryMove, entries []addr.StateEntry) error {
	return s.writeRecords(func() ([]journalRecord, error) {
		var records []journalRecord
		now := map[addr.Addr]*addr.StateEntry{} // after the moves so far; nil: none
		var open []CreateIntent
		if len(moves) > 0 {
			open = s.changes.applyTo(s.baseState).OpenIntents
		}
		for _, m := range moves {
			e, err := s.entryToMove(m, now)
			if err != nil {
				return nil, err
			}
			e.Addr = m.To
			now[m.From], now[m.To] = nil, e
			r := journalRecord{Forget: &m.From, Put: e}
			for i := range open {
				if open[i].Addr == m.From {
					r.Drop = append(r.Drop, open[i].key())
					open[i].Addr = m.To
					r.Announce = append(r.Announce, open[i].clone())
				}
			}
			records = append(records, r)
		}
		return append(records, s.buildPutRecords(entries, func(k intentKey) (CreateIntent, bool) {
			if i := slices.IndexFunc(open, func(i CreateIntent) bool { return i.key() == k }); i >= 0 {
				return open[i], true
			}
			return s.currentIntent(k)
		})...), nil
	})
}

// entryToMove is a copy of the entry that moves.
func (s *Store) entryToMove(m EntryMove, movedSoFar map[addr.Addr]*addr.StateEntry) (*addr.StateEntry, error) {
	at := func(addr addr.Addr) *addr.StateEntry {
		if e, changed := movedSoFar[addr]; changed {
			return e
		}
		if e, ok := s.currentEntry(addr); ok {
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
	wrong.Path = s.displayName
	return nil, &wrong
}

// Stats gives what was written since Open. Shared: each move of the pointer
// counts as one sync.
func (s *Store) Stats() WriteStats { return s.storage.stats() }

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
	s.pendingWrites.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes.wouldChange(s.baseState) {
		return s.storage.close(s.changes.applyTo(s.baseState))
	}
	return s.storage.close(nil)
}

// writeRecords applies and writes the records that decide gives after a look at what
// is recorded.
func (s *Store) writeRecords(decide func() ([]journalRecord, error)) error {
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
		s.changes.applyRecord(&todo[i])
		lines = append(lines, todo[i].encodeLine()...)
	}
	b, leads := s.groupCommit.enqueue(lines)
	s.pendingWrites.Add(1)
	defer s.pendingWrites.Done()
	s.mu.Unlock()
	err = s.groupCommit.commit(b, leads)
	if err != nil {
		s.retractAnnouncementsAndRequeue(todo, unwritten)
	}
	return err
}

// retractAnnouncementsAndRequeue takes back announcements; facts stay, as they are true. Lines that the
// change was to take along go with the next one.
func (s *Store) retractAnnouncementsAndRequeue(records []journalRecord, lines []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unwrittenLines = append(s.unwrittenLines, lines...)
	for _, r := range records {
		for _, i := range r.Announce {
			if r.Put == nil {
				s.changes.intentChanges[i.key()] = nil
			}
		}
	}
}

func (s *Store) currentEntry(a addr.Addr) (entry addr.StateEntry, found bool) {
	if e, changed := s.changes.entries[a]; changed {
		if e == nil {
			return addr.StateEntry{}, false
		}
		return *e, true
	}
	return s.baseState.FindEntry(a)
}

func (s *Store) currentIntent(k intentKey) (intent CreateIntent, found bool) {
	if i, changed := s.changes.intentChanges[k]; changed {
		if i == nil {
			return CreateIntent{}, false
		}
		return *i, true
	}
	return s.baseState.findIntent(k)
}
