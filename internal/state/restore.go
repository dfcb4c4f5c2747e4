package state

import "slices"

// Restore makes to the state, in place of everything that is recorded. An
// account that is recorded already stays: another one in to is the *Error of
// Bind.
func (s *Store) Restore(to *State) error {
	if to.AccountID != "" {
		if err := s.Bind(to.AccountID, to.Realm); err != nil {
			return err
		}
	}
	return s.replace(to, nil)
}

// Clear forgets everything, also whose it is; then there is no state.
func (s *Store) Clear() error { return s.replace(&State{}, &binding{}) }

func (s *Store) replace(to *State, bind *binding) error {
	return s.change(func() ([]record, error) {
		now := s.changes.applyTo(s.base)
		var todo []record
		for _, e := range now.Entries {
			if _, kept := to.Find(e.Addr); !kept {
				todo = append(todo, record{Forget: &e.Addr})
			}
		}
		for _, e := range to.Entries {
			e = cloneEntry(e)
			todo = append(todo, record{Put: &e})
		}
		last := record{Bind: bind, Applied: &to.Applied, Begin: slices.Clone(to.Open)}
		for _, i := range now.Open {
			last.Drop = append(last.Drop, i.key())
		}
		return append(todo, last), nil
	})
}
