package emulator

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// databaseStore keeps the account in one bbolt file. Transactions are not synced
// to the disk, only closing is: they survive the end of the process, however
// sudden, and not that of the machine. What that leaves is a torn file, which
// bbolt reads through a mapping; so whatever reads it is guarded.
type databaseStore struct {
	db      *bbolt.DB
	path    string
	damaged atomic.Bool
}

const databaseName = "account.db"

var boltBucket = []byte("b2")

func openDatabaseStore(dir string, lockTimeout time.Duration) (*databaseStore, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &databaseStore{path: filepath.Join(dir, databaseName)}
	if isDatabaseLost(dir, s.path) {
		return nil, s.damagedError("it is empty")
	}
	err := catchReadPanics(true, func() (err error) {
		s.db, err = bbolt.Open(s.path, 0o600, &bbolt.Options{
			Timeout: lockTimeout, NoSync: true, NoGrowSync: true, FreelistType: bbolt.FreelistMapType,
		})
		return err
	})
	var world *fs.PathError
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s is in use by another process", dir)
	case errors.As(err, &world):
		return nil, fmt.Errorf("open %s: %w", s.path, err)
	case err != nil:
		return nil, s.damagedError(err.Error())
	}
	err = catchReadPanics(true, func() error {
		if err := s.check(); err != nil {
			return err
		}
		return s.db.Update(func(t *bbolt.Tx) error {
			_, err := t.CreateBucketIfNotExists(boltBucket)
			return err
		})
	})
	if err != nil {
		// Closing may wait for ever for a lock that what failed has.
		return nil, s.damagedError(err.Error())
	}
	return s, nil
}

// isDatabaseLost reports whether a database that is not there was there: it is empty, or
// gone, beside contents.
func isDatabaseLost(dir, path string) bool {
	info, err := os.Stat(path)
	if err == nil && info.Size() > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	_, err = os.Stat(filepath.Join(dir, contentDirName))
	return err == nil
}

// check reads the whole file if the process that had it did not close it, and
// else only what may be missing at its end.
func (s *databaseStore) check() error {
	return s.db.View(func(t *bbolt.Tx) error {
		info, err := os.Stat(s.path)
		if err != nil {
			return err
		}
		if info.Size() < t.Size() {
			return fmt.Errorf("it has %d bytes of %d", info.Size(), t.Size())
		}
		b := t.Bucket(boltBucket)
		if b == nil {
			return nil
		}
		all := databaseTx{b}
		if all.get(openKey) == nil {
			return nil
		}
		last := ""
		for key := range all.scan("", "") {
			if key <= last {
				return fmt.Errorf("the record %q is out of place", key)
			}
			last = key
		}
		var wrong error
		for err := range t.Check() {
			wrong = errors.Join(wrong, err)
		}
		return wrong
	})
}

// errTorn says that what was read is no database, and not how.
var errTorn = errors.New("it cannot be read")

// catchReadPanics runs what reads a mapped file. It gives errTorn for the fault that a
// torn file leads to and for the panic with which bbolt meets what it cannot
// read, and with all for every other panic.
func catchReadPanics(allPanics bool, run func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		_, isFault := p.(interface{ Addr() uintptr })
		text, isText := p.(string)
		switch {
		case p == nil:
		case allPanics, isFault, isText && !strings.HasPrefix(text, "emulator: "):
			err = errTorn
		default:
			panic(p)
		}
	}()
	return run()
}

func (s *databaseStore) damagedError(how string) error {
	return fmt.Errorf("%s is damaged: %s. Begin with another folder, or put back a copy of this one", s.path, how)
}

func (s *databaseStore) runUnlessDamaged(run func() error) error {
	if s.damaged.Load() {
		return s.damagedError(errTorn.Error())
	}
	err := catchReadPanics(false, run)
	if errors.Is(err, errTorn) {
		s.damaged.Store(true)
		err = s.damagedError(err.Error())
	}
	return err
}

func (s *databaseStore) view(f func(tx) error) error {
	return s.runUnlessDamaged(func() error {
		return s.db.View(func(t *bbolt.Tx) error { return f(databaseTx{t.Bucket(boltBucket)}) })
	})
}

func (s *databaseStore) update(f func(tx) error) error {
	return s.runUnlessDamaged(func() error {
		return s.db.Update(func(t *bbolt.Tx) error { return f(databaseTx{t.Bucket(boltBucket)}) })
	})
}

// close writes the file to the disk. One that is damaged is left to the end of
// the process: closing it may wait for ever for a lock.
func (s *databaseStore) close() error {
	if s.damaged.Load() {
		return nil
	}
	return errors.Join(s.db.Sync(), s.db.Close())
}

type databaseTx struct{ b *bbolt.Bucket }

func (t databaseTx) get(key string) []byte { return t.b.Get([]byte(key)) }

func (t databaseTx) put(key string, value []byte) {
	if err := t.b.Put([]byte(key), value); err != nil {
		panic(fmt.Sprintf("emulator: put %q: %v", key, err))
	}
}

func (t databaseTx) remove(key string) {
	if err := t.b.Delete([]byte(key)); err != nil {
		panic(fmt.Sprintf("emulator: remove %q: %v", key, err))
	}
}

func (t databaseTx) scan(from, prefix string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		c := t.b.Cursor()
		for k, v := c.Seek([]byte(from)); k != nil; k, v = c.Next() {
			key := string(k)
			if !strings.HasPrefix(key, prefix) || !yield(key, v) {
				return
			}
		}
	}
}
