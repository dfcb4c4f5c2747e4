// Package state keeps what b2form knows to be its own: per object the address,
// the identity and the remote ID, and which creates were announced and never
// confirmed. It holds no setting and no secret, so the file may be committed,
// and losing it is never fatal: everything is found again by name.
//
// The state is a file, `<path>`. While a run lasts there are up to two more
// beside it: `<path>.lock`, which carries the operating system's lock (the
// state itself cannot, since replacing it atomically gives it a new inode), and
// `<path>.journal`, which takes every change the moment it happens. Closing a
// Store folds the journal into the state. A run that was killed leaves its
// journal behind; the next one reads it as part of the state.
package state

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"b2form/schema/addr"
)

// A State is what is recorded at one moment.
type State struct {
	AccountID string // the account that owns all of it; "": not bound yet
	Realm     string // where that account authorizes: "https://api.backblazeb2.com"; on this machine without a port
	Applied   AppliedDigests
	Entries   []addr.StateEntry
	// OpenIntents are the announced creates whose outcome is not known.
	OpenIntents []CreateIntent
	// HeldBy is the run that held the lock when the state was read without it; nil: none, or the backend
	// does not tell, as over HTTP. It is not stored.
	HeldBy *LockedError
}

// An AppliedDigests stands for what the last apply was made from. The zero value: nothing was
// applied, or by a b2form that did not record it. Without digests: what is live comes from
// several configurations, since the apply did not come to its end.
type AppliedDigests struct {
	Salt                        string `json:"salt"`                // random; the key of the digests
	NonsensitiveVariablesDigest string `json:"variables,omitempty"` // digest of the values of variables that are not sensitive
	ConfigFilesDigest           string `json:"files,omitempty"`     // digest of the configuration's files
	OutputDigests               string `json:"outputs,omitempty"`   // digests of the outputs, by their names; see plan.OutputDigests
}

// A CreateIntent announces the create of one object before the request is sent, so
// that a run that dies in between leaves no object that nobody knows.
type CreateIntent struct {
	Addr     addr.Addr `json:"address"`
	Identity string    `json:"identity"` // the name the object will carry
	// KnownIDs are the IDs of the live objects that carried the identity before. An
	// object with this identity and another ID is the one announced here; see MultiBucket.
	KnownIDs []string `json:"known,omitempty"`
	// MultiBucket says that the announced object is limited to several buckets, and that KnownIDs come
	// from a listing that has such objects. Without it no such object is the one announced: KnownIDs
	// may lack those that were there before.
	MultiBucket bool `json:"multi_bucket,omitempty"`
	// LaterAttemptObjectID is the ID of the object that a later attempt made and that is recorded:
	// what else appears was made by an earlier one, whose reply nobody got.
	LaterAttemptObjectID string    `json:"made,omitempty"`
	AnnouncedAt          time.Time `json:"at,omitzero"` // when it was announced
}

// ReadOrEmpty gives the state stored at path, including what the journal of a killed
// or still running run says. It takes no lock and writes nothing; a file that
// does not exist is an empty state. Every error is an *Error.
//
// Entries are sorted by address, open intents by address and identity.
func ReadOrEmpty(path string) (*State, error) {
	path, err := resolveSymlinks(path)
	if err != nil {
		return nil, err
	}
	const attempts = 5
	for attempt := 1; ; attempt++ {
		journal, err := readRegularFileOrNil(path + journalSuffix)
		if err != nil {
			return nil, err
		}
		base, err := readStateFileOrEmpty(path)
		if err != nil {
			return nil, err
		}
		again, err := readRegularFileOrNil(path + journalSuffix)
		if err != nil {
			return nil, err
		}
		// A journal that was folded in between, and another begun, may be older
		// than the file that was read after it.
		if !bytes.HasPrefix(again, journal) && attempt < attempts {
			continue
		}
		if len(journal) == 0 {
			return base, nil
		}
		j, err := parseJournal(path+journalSuffix, journal, base)
		if err != nil {
			return nil, err
		}
		return j.applyTo(base), nil
	}
}

// FindEntry gives the entry of an address; ok is false where there is none.
func (s *State) FindEntry(a addr.Addr) (e addr.StateEntry, ok bool) {
	i, ok := slices.BinarySearchFunc(s.Entries, a, compareEntry)
	if !ok {
		return addr.StateEntry{}, false
	}
	return s.Entries[i], true
}

func compareEntry(e addr.StateEntry, a addr.Addr) int { return e.Addr.Compare(a) }

// An intentKey tells intents apart. One address may have several: the identity
// changed in the configuration while an older create is still in doubt.
type intentKey struct {
	Addr     addr.Addr `json:"address"`
	Identity string    `json:"identity"`
}

func (i *CreateIntent) key() intentKey { return intentKey{i.Addr, i.Identity} }

func (k intentKey) compare(other intentKey) int {
	if c := k.Addr.Compare(other.Addr); c != 0 {
		return c
	}
	return strings.Compare(k.Identity, other.Identity)
}

func (s *State) findIntent(k intentKey) (intent CreateIntent, found bool) {
	i, ok := slices.BinarySearchFunc(s.OpenIntents, k, func(i CreateIntent, k intentKey) int { return i.key().compare(k) })
	if !ok {
		return CreateIntent{}, false
	}
	return s.OpenIntents[i], true
}

// changes are what happened since a State was read. Each names a thing and what
// became of it, so applying a change twice, or on top of a state that holds it
// already, gives the same: a journal may be replayed at any time.
type changes struct {
	binding       *accountBinding
	entries       map[addr.Addr]*addr.StateEntry // nil: forgotten
	intentChanges map[intentKey]*CreateIntent    // nil: no longer open
	applied       *AppliedDigests                // nil: as before
}

type accountBinding struct {
	AccountID string `json:"account_id"`
	Realm     string `json:"realm"`
}

func newChanges() changes {
	return changes{entries: map[addr.Addr]*addr.StateEntry{}, intentChanges: map[intentKey]*CreateIntent{}}
}

// wouldChange reports whether base with the changes would be stored differently.
func (c *changes) wouldChange(base *State) bool {
	if c.binding != nil && *c.binding != (accountBinding{base.AccountID, base.Realm}) {
		return true
	}
	if c.applied != nil && *c.applied != base.Applied {
		return true
	}
	for a, e := range c.entries {
		old, ok := base.FindEntry(a)
		if ok != (e != nil) || ok && !bytes.Equal(compactJSON(old), compactJSON(*e)) {
			return true
		}
	}
	for k, i := range c.intentChanges {
		old, ok := base.findIntent(k)
		if ok != (i != nil) || ok && !bytes.Equal(compactJSON(old), compactJSON(*i)) {
			return true
		}
	}
	return false
}

// applyTo gives a state of its own: base with the changes.
func (c *changes) applyTo(base *State) *State {
	out := &State{
		AccountID: base.AccountID,
		Realm:     base.Realm,
		Applied:   base.Applied,
		HeldBy:    base.HeldBy,
		Entries:   make([]addr.StateEntry, 0, len(base.Entries)+len(c.entries)),
	}
	if c.binding != nil {
		out.AccountID, out.Realm = c.binding.AccountID, c.binding.Realm
	}
	if c.applied != nil {
		out.Applied = *c.applied
	}
	for _, e := range base.Entries {
		if _, changed := c.entries[e.Addr]; !changed {
			out.Entries = append(out.Entries, cloneEntry(e))
		}
	}
	for _, e := range c.entries {
		if e != nil {
			out.Entries = append(out.Entries, cloneEntry(*e))
		}
	}
	for _, i := range base.OpenIntents {
		if _, changed := c.intentChanges[i.key()]; !changed {
			out.OpenIntents = append(out.OpenIntents, i.clone())
		}
	}
	for _, i := range c.intentChanges {
		if i != nil {
			out.OpenIntents = append(out.OpenIntents, i.clone())
		}
	}
	out.sort()
	return out
}

func cloneEntry(e addr.StateEntry) addr.StateEntry {
	e.Retiring, e.SensitiveAttrs = slices.Clone(e.Retiring), slices.Clone(e.SensitiveAttrs)
	return e
}

func (i CreateIntent) clone() CreateIntent {
	i.KnownIDs = slices.Clone(i.KnownIDs)
	return i
}

// IsEmpty reports whether nothing is recorded, not even whose it would be: such a
// state is stored by storing none.
func (s *State) IsEmpty() bool {
	return s.AccountID == "" && s.Realm == "" && s.Applied == (AppliedDigests{}) && len(s.Entries) == 0 && len(s.OpenIntents) == 0
}

// recordsMoreThanAccount reports whether there is anything beside whose it is.
func (s *State) recordsMoreThanAccount() bool {
	bare := *s
	bare.AccountID, bare.Realm = "", ""
	return !bare.IsEmpty()
}

// IsPartOf reports whether the other state records all that this one does, of one account, in the same way.
func (s *State) IsPartOf(other *State) bool {
	if len(s.Entries)+len(s.OpenIntents) > 0 && (s.AccountID != other.AccountID || s.Realm != other.Realm) {
		return false
	}
	return isSubset(s.Entries, other.Entries) && isSubset(s.OpenIntents, other.OpenIntents)
}

func isSubset[T any](part, whole []T) bool {
	texts := make(map[string]bool, len(whole))
	for i := range whole {
		texts[string(compactJSON(&whole[i]))] = true
	}
	return !slices.ContainsFunc(part, func(one T) bool { return !texts[string(compactJSON(&one))] })
}

func (s *State) sort() {
	slices.SortFunc(s.Entries, func(a, b addr.StateEntry) int { return a.Addr.Compare(b.Addr) })
	slices.SortFunc(s.OpenIntents, func(a, b CreateIntent) int { return a.key().compare(b.key()) })
}
