package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"b2form/schema/kind"
)

// Options are what Open wants to know. Now is required.
type Options struct {
	Now       func() time.Time
	Operation string        // for those who find the state locked: "apply"
	Who       string        // likewise: "user@host"
	Wait      time.Duration // how long to try for the lock; 0: once
}

// A Store is the state, opened for changing it. Until Close nobody else can
// open it. All methods are safe for concurrent use, and every change is durable
// when its method returns: concurrent changes share one sync.
//
// A fact that could not be written (Put, Forget, Drop, Move returned an error)
// is still known to the Store, and Close tries again to save it. An
// announcement that could not be written (Begin) is forgotten, as the create
// must not follow.
type Store struct {
	path    string
	now     func() time.Time
	lock    *flock.Flock
	journal *journal
	count   counter

	mu      sync.Mutex
	base    *State // as read
	changes changes
	closed  bool
	writing sync.WaitGroup // changes on their way to the journal
}

// Open locks and reads the state at path; a file that does not exist is an
// empty state, and is made by Close when there is something to store. Where
// path is a symbolic link, its target is the state. An error is an *Error (with
// a *LockedError as cause when another run holds the lock longer than
// Options.Wait), or ctx's.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	path, err := resolve(path)
	if err != nil {
		return nil, err
	}
	self := LockedError{Path: path, Operation: o.Operation, Who: o.Who, PID: os.Getpid(), Created: o.Now().UTC()}
	lock, err := takeLock(ctx, path, self, o.Wait)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, now: o.Now, lock: lock}
	if err := s.read(); err != nil {
		_ = releaseLock(lock)
		return nil, err
	}
	return s, nil
}

func (s *Store) read() error {
	raw, err := readAll(s.path + journalSuffix)
	if err != nil {
		return err
	}
	if s.base, err = readFile(s.path); err != nil {
		return err
	}
	if s.changes, err = replay(s.path+journalSuffix, raw, s.base); err != nil {
		return err
	}
	head := record{Version: formatVersion}
	if s.base.AccountID != "" {
		head.Bind = &binding{s.base.AccountID, s.base.Realm}
	}
	s.journal = newJournal(s.path+journalSuffix, raw, head, &s.count)
	return nil
}

// State gives a copy of what is recorded now. Entries are sorted by address,
// open intents by address and identity.
func (s *Store) State() *State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes.onto(s.base)
}

// Bind says whose objects are recorded. The first use sets it; afterwards
// another account or realm is an *Error that names both.
func (s *Store) Bind(accountID, realm string) error {
	return s.change(func() ([]record, error) {
		now := binding{s.base.AccountID, s.base.Realm}
		if s.changes.bound != nil {
			now = *s.changes.bound
		}
		want := binding{accountID, realm}
		switch now {
		case want:
			return nil, nil
		case binding{}:
			return []record{{Bind: &want}}, nil
		}
		return nil, &Error{
			Summary: "State belongs to another account",
			Detail: fmt.Sprintf("%s records objects of account %s at %s, but the credentials in use are of account %s at %s. "+
				"Use the credentials of the recorded account, or run b2form in a folder of its own for the other one.",
				s.path, now.AccountID, now.Realm, accountID, realm),
			Path: s.path,
		}
	})
}

// Begin announces creates, before their requests are sent. At is filled in where
// it is zero. Announcing what is open already keeps the older announcement:
// whatever appeared since that one is ours.
//
// On an error nothing is announced and the create must not be sent.
func (s *Store) Begin(intents ...Intent) error {
	return s.change(func() ([]record, error) {
		var r record
		for _, i := range intents {
			if _, open := s.intent(i.key()); open {
				continue
			}
			i = i.clone()
			if i.At.IsZero() {
				i.At = s.now()
			}
			i.At = i.At.UTC()
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
func (s *Store) Put(entries ...kind.Entry) error {
	return s.change(func() ([]record, error) {
		records := make([]record, len(entries))
		for i, e := range entries {
			e = cloneEntry(e)
			e.Created, e.Adopted = e.Created.UTC(), e.Adopted.UTC() // the file must not depend on the machine's zone
			records[i].Put = &e
			k := intentKey{e.Addr, e.Identity}
			if open, ok := s.intent(k); ok && !slices.Contains(open.Known, e.ID) {
				records[i].Drop = []intentKey{k}
			}
		}
		return records, nil
	})
}

// Forget removes the entries of addresses; one that has none is passed over.
func (s *Store) Forget(addrs ...kind.Addr) error {
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

// Drop closes the Intent of an address and identity whose create is known not
// to have taken effect, or whose object has been dealt with. It is no error
// when there is none.
func (s *Store) Drop(addr kind.Addr, identity string) error {
	return s.change(func() ([]record, error) {
		k := intentKey{addr, identity}
		if _, ok := s.intent(k); !ok {
			return nil, nil
		}
		return []record{{Drop: []intentKey{k}}}, nil
	})
}

// Move gives an entry, and what is open for its address, another address. It is
// an *Error when from has no entry, to has one, or their kinds differ.
func (s *Store) Move(from, to kind.Addr) error {
	return s.change(func() ([]record, error) {
		e, ok := s.entry(from)
		if from.Kind != to.Kind {
			return nil, &Error{
				Summary: "Kinds differ",
				Detail:  fmt.Sprintf("%s is a %s and cannot become a %s.", from, from.Kind, to.Kind),
				Path:    s.path,
			}
		}
		if !ok {
			return nil, &Error{
				Summary: "Nothing to move",
				Detail:  fmt.Sprintf("The state has no %s. `b2form state list` shows what it has.", from),
				Path:    s.path,
			}
		}
		if _, taken := s.entry(to); taken {
			return nil, &Error{
				Summary: "Address is taken",
				Detail:  fmt.Sprintf("The state has a %s already. Move or remove that one first.", to),
				Path:    s.path,
			}
		}
		e.Addr = to
		r := record{Forget: &from, Put: &e}
		for _, i := range s.changes.onto(s.base).Open {
			if i.Addr == from {
				r.Drop = append(r.Drop, i.key())
				i.Addr = to
				r.Begin = append(r.Begin, i)
			}
		}
		return []record{r}, nil
	})
}

// Stats gives what was written since Open.
func (s *Store) Stats() Stats {
	return Stats{Bytes: s.count.bytes.Load(), Syncs: s.count.syncs.Load()}
}

// Close saves the state and unlocks it. A file that already says the same is
// not touched. On an *Error the state is unlocked too, and the journal keeps
// what was made durable; the next run reads it. Closing again does nothing.
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
	err := s.fold()
	if unlockErr := releaseLock(s.lock); err == nil && unlockErr != nil {
		err = unwritable(s.path+lockSuffix, "The state itself is saved.", unlockErr)
	}
	return err
}

// fold brings the state file up to date and removes the journal. Only then: all
// of it may still be needed.
func (s *Store) fold() error {
	s.journal.close()
	if s.changes.alter(s.base) {
		if err := replaceFile(s.path, s.changes.onto(s.base), &s.count); err != nil {
			return s.unsaved(err)
		}
	}
	if err := os.Remove(s.path + journalSuffix); err != nil && !os.IsNotExist(err) {
		return s.unsaved(err)
	}
	return nil
}

func (s *Store) unsaved(err error) *Error {
	return unwritable(s.path, "What this run recorded is kept in "+s.path+journalSuffix+"; the next run reads it.", err)
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
	var lines []byte
	for i := range todo {
		s.changes.apply(&todo[i])
		lines = append(lines, todo[i].line()...)
	}
	b, leads := s.journal.enqueue(lines)
	s.writing.Add(1)
	defer s.writing.Done()
	s.mu.Unlock()
	if err := s.journal.commit(b, leads); err != nil {
		s.retract(todo)
		return unwritable(s.path+journalSuffix, "What was recorded before is safe.", err)
	}
	return nil
}

// retract takes back announcements; facts stay, as they are true.
func (s *Store) retract(records []record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		for _, i := range r.Begin {
			if r.Put == nil {
				s.changes.open[i.key()] = nil
			}
		}
	}
}

func (s *Store) entry(a kind.Addr) (kind.Entry, bool) {
	if e, changed := s.changes.entries[a]; changed {
		if e == nil {
			return kind.Entry{}, false
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
