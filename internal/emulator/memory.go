package emulator

import (
	"errors"
	"iter"
	"slices"
	"sort"
	"strings"
	"sync"
)

// memoryStore is the store that lives and dies with the process.
type memoryStore struct {
	mu     sync.RWMutex
	data   sortedMap
	closed bool
}

var errClosed = errors.New("the emulator is closed")

func newMemoryStore() *memoryStore { return &memoryStore{} }

func (m *memoryStore) view(f func(tx) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return errClosed
	}
	return f(&memoryTx{data: &m.data})
}

func (m *memoryStore) update(f func(tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errClosed
	}
	t := &memoryTx{data: &m.data}
	err := f(t)
	if err != nil {
		t.undo()
	}
	return err
}

func (m *memoryStore) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// memoryTx remembers what it overwrote, to take it back.
type memoryTx struct {
	data        *sortedMap
	overwritten []keyValue // a nil value: there was none
}

func (t *memoryTx) get(key string) []byte { return t.data.get(key) }

func (t *memoryTx) put(key string, value []byte) {
	t.overwritten = append(t.overwritten, keyValue{key, t.data.put(key, value)})
}

func (t *memoryTx) remove(key string) {
	t.overwritten = append(t.overwritten, keyValue{key, t.data.remove(key)})
}

func (t *memoryTx) scan(from, prefix string) iter.Seq2[string, []byte] {
	return t.data.scan(from, prefix)
}

func (t *memoryTx) undo() {
	for _, e := range slices.Backward(t.overwritten) {
		if e.value == nil {
			t.data.remove(e.key)
		} else {
			t.data.put(e.key, e.value)
		}
	}
}

type keyValue struct {
	key   string
	value []byte
}

// sortedMap is an ordered map: a list of short sorted runs, so that an insertion
// moves few entries however many there are.
type sortedMap struct{ runs [][]keyValue }

const maxKeysPerRun = 256

// find gives the run and the place in it where key is or belongs.
func (s *sortedMap) find(key string) (run, at int, found bool) {
	// The last run that begins at or before key.
	run = sort.Search(len(s.runs), func(i int) bool { return s.runs[i][0].key > key }) - 1
	if run < 0 {
		return 0, 0, false
	}
	at, found = slices.BinarySearchFunc(s.runs[run], key, func(e keyValue, k string) int {
		return strings.Compare(e.key, k)
	})
	return run, at, found
}

func (s *sortedMap) get(key string) []byte {
	if run, at, found := s.find(key); found {
		return s.runs[run][at].value
	}
	return nil
}

// put stores value and returns what was there before.
func (s *sortedMap) put(key string, value []byte) (previous []byte) {
	if value == nil {
		value = []byte{}
	}
	run, at, found := s.find(key)
	if found {
		e := &s.runs[run][at]
		old := e.value
		e.value = value
		return old
	}
	if len(s.runs) == 0 {
		s.runs = [][]keyValue{{{key, value}}}
		return nil
	}
	r := slices.Insert(s.runs[run], at, keyValue{key, value})
	if len(r) <= maxKeysPerRun {
		s.runs[run] = r
		return nil
	}
	s.runs[run] = slices.Clone(r[:maxKeysPerRun/2])
	s.runs = slices.Insert(s.runs, run+1, slices.Clone(r[maxKeysPerRun/2:]))
	return nil
}

// remove deletes key and returns what was there.
func (s *sortedMap) remove(key string) (previous []byte) {
	run, at, found := s.find(key)
	if !found {
		return nil
	}
	old := s.runs[run][at].value
	s.runs[run] = slices.Delete(s.runs[run], at, at+1)
	if len(s.runs[run]) == 0 {
		s.runs = slices.Delete(s.runs, run, run+1)
	}
	return old
}

func (s *sortedMap) scan(from, prefix string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		first, at, _ := s.find(from)
		for run := first; run < len(s.runs); run++ {
			for ; at < len(s.runs[run]); at++ {
				e := s.runs[run][at]
				if !strings.HasPrefix(e.key, prefix) || !yield(e.key, e.value) {
					return
				}
			}
			at = 0
		}
	}
}
