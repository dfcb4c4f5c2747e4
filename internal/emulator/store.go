package emulator

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// The account is one ordered map from strings to records. The first letter of
// a key says what it holds:
//
//	m                            who the account is
//	d                            the day of the last lifecycle pass
//	o                            there is a process that has the account open
//	n<what>                      how many buckets, keys and files were ever made
//	b<bucketId>                  a bucket
//	N<lower-case name>           its ID
//	r<bucketId>                  its event notification rules
//	k<keyId>                     an application key
//	f<bucketId>/<name>\0<newest> a file version, newest first within its name
//	i<fileId>                    the f key of a file version
//	u<bucketId><n>               the f key of an unfinished large file, oldest first
//	p<fileId><part number>       a part of an unfinished large file
//
// File names hold no control characters, so \0 ends a name and sorts a name
// before all longer names that start with it.
const (
	metaKey = "m"
	openKey = "o"
)

// A store runs transactions: any number of views at a time, or one update.
type store interface {
	view(func(tx) error) error
	// update keeps all changes of f, or none if f returns an error.
	update(f func(tx) error) error
	close() error
}

// A tx is the account as one transaction sees it. Values may be read until the
// transaction ends and must not be changed. put and remove belong to updates
// and must not run while a scan does.
type tx interface {
	get(key string) []byte // nil if there is none
	put(key string, value []byte)
	remove(key string)
	// scan gives the entries from the key on that start with prefix, in order.
	scan(from, prefix string) iter.Seq2[string, []byte]
}

// load decodes the record at key into out and reports whether there is one.
func load(t tx, key string, out any) (bool, error) {
	data := t.get(key)
	if data == nil {
		return false, nil
	}
	return true, decode(key, data, out)
}

func decode(key string, data []byte, out any) error {
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("the record %q is damaged: %w", key, err)
	}
	return nil
}

func save(t tx, key string, v any) { t.put(key, encode(key, v)) }

// encode encodes v, a record of this package, which cannot fail.
func encode(key string, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("emulator: record %q: %v", key, err))
	}
	return data
}

// pack joins strings to a record, each after its length.
func pack(fields ...string) []byte {
	size := 0
	for _, f := range fields {
		size += len(f) + 2
	}
	record := make([]byte, 0, size)
	for _, f := range fields {
		record = binary.AppendUvarint(record, uint64(len(f)))
		record = append(record, f...)
	}
	return record
}

// unpack takes a record of pack apart; ok is false if it is none.
func unpack(record []byte) (fields []string, ok bool) {
	text := string(record)
	for at := 0; at < len(text); {
		length, n := binary.Uvarint(record[at:])
		if n <= 0 || length > uint64(len(text)-at-n) {
			return nil, false
		}
		at += n
		fields = append(fields, text[at:at+int(length)])
		at += int(length)
	}
	return fields, true
}

// count makes the next number, from 1, of what is being counted.
func count(t tx, what string) uint64 {
	n := uint64(1)
	if last := t.get("n" + what); last != nil {
		n += binary.BigEndian.Uint64(last)
	}
	t.put("n"+what, binary.BigEndian.AppendUint64(nil, n))
	return n
}

func holdsAny(t tx, prefix string) bool {
	for range t.scan(prefix, prefix) {
		return true
	}
	return false
}

// fileStore keeps the account in one bbolt file. Transactions are not synced
// to the disk: they survive the end of the process, however sudden, and not
// that of the machine.
type fileStore struct{ db *bbolt.DB }

var records = []byte("b2")

func openFile(dir string, patience time.Duration) (*fileStore, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(filepath.Join(dir, "account.db"), 0o600, &bbolt.Options{
		Timeout: patience, NoSync: true, NoGrowSync: true, FreelistType: bbolt.FreelistMapType,
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%s is in use by another process", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", filepath.Join(dir, "account.db"), err)
	}
	err = db.Update(func(t *bbolt.Tx) error {
		_, err := t.CreateBucketIfNotExists(records)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &fileStore{db}, nil
}

func (s *fileStore) view(f func(tx) error) error {
	return s.db.View(func(t *bbolt.Tx) error { return f(fileTx{t.Bucket(records)}) })
}

func (s *fileStore) update(f func(tx) error) error {
	return s.db.Update(func(t *bbolt.Tx) error { return f(fileTx{t.Bucket(records)}) })
}

func (s *fileStore) close() error { return s.db.Close() }

type fileTx struct{ b *bbolt.Bucket }

func (t fileTx) get(key string) []byte { return t.b.Get([]byte(key)) }

func (t fileTx) put(key string, value []byte) {
	if err := t.b.Put([]byte(key), value); err != nil {
		panic(fmt.Sprintf("emulator: put %q: %v", key, err))
	}
}

func (t fileTx) remove(key string) {
	if err := t.b.Delete([]byte(key)); err != nil {
		panic(fmt.Sprintf("emulator: remove %q: %v", key, err))
	}
}

func (t fileTx) scan(from, prefix string) iter.Seq2[string, []byte] {
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
