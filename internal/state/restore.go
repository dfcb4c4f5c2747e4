package state

import (
	"errors"
	"fmt"
	"slices"
)

// Restore makes st the state, in place of everything that is recorded. An
// account that is recorded already stays: another one in st is an *Error.
func (s *Store) Restore(st *State) error {
	if st.AccountID != "" {
		err := s.BindAccount(st.AccountID, st.Realm)
		if other, ok := errors.AsType[*Error](err); ok {
			now := s.State()
			other.Detail = fmt.Sprintf("%s records objects of account %s at %s, but what is to take its place those of account %s at %s. "+
				"Keep each in a folder of its own.", s.displayName, now.AccountID, now.Realm, st.AccountID,
				realmWithoutLoopbackPort(st.Realm))
		}
		if err != nil {
			return err
		}
	}
	return s.replaceAll(st, nil)
}

// Clear forgets everything, also whose it is; then there is no state.
func (s *Store) Clear() error { return s.replaceAll(&State{}, &accountBinding{}) }

func (s *Store) replaceAll(st *State, bind *accountBinding) error {
	return s.writeRecords(func() ([]journalRecord, error) {
		now := s.changes.applyTo(s.baseState)
		var todo []journalRecord
		for _, e := range now.Entries {
			if _, kept := st.FindEntry(e.Addr); !kept {
				todo = append(todo, journalRecord{Forget: &e.Addr})
			}
		}
		for _, e := range st.Entries {
			e = cloneEntry(e)
			todo = append(todo, journalRecord{Put: &e})
		}
		last := journalRecord{Bind: bind, Applied: &st.Applied, Announce: slices.Clone(st.OpenIntents)}
		for _, i := range now.OpenIntents {
			last.Drop = append(last.Drop, i.key())
		}
		return append(todo, last), nil
	})
}
