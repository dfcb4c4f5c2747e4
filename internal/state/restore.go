package state

import "slices"

// Restore makes to the state, in place of everything that is recorded. An
// account that is recorded already stays: another one in to is the *Error of
// Bind.
func (s *Store) Restore(st *State) error {
	if st.AccountID != "" {
		if err := s.Bind(st.AccountID, st.Realm); err != nil {
			return err
		}
	}
	return s.replace(st, nil)
}

// Clear forgets everything, also whose it is; then there is no state.
func (s *Store) Clear() error { return s.replace(&State{}, &binding{}) }

func (s *Store) replace(st *State, bind *binding) error {
	return s.change(func() ([]record, error) {
		now := s.changes.applyTo(s.base)
		var todo []record
		for _, e := range now.Entries {
			if _, kept := st.Find(e.Addr); !kept {
				todo = append(todo, record{Forget: &e.Addr})
			}
		}
		for _, e := range st.Entries {
			e = cloneEntry(e)
			todo = append(todo, record{Put: &e})
		}
		last := record{Bind: bind, Applied: &st.Applied, Begin: slices.Clone(st.Open)}
		for _, i := range now.Open {
			last.Drop = append(last.Drop, i.key())
		}
		return append(todo, last), nil
	})
}
