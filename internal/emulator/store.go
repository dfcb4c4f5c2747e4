package emulator

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
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
func load(t tx, key string, out any) (found bool, err error) {
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

// nextNumber makes the next number, from 1, of what is being counted.
func nextNumber(t tx, counterName string) uint64 {
	n := uint64(1)
	if last := t.get("n" + counterName); last != nil {
		n += binary.BigEndian.Uint64(last)
	}
	t.put("n"+counterName, binary.BigEndian.AppendUint64(nil, n))
	return n
}

func holdsAny(t tx, prefix string) bool {
	for range t.scan(prefix, prefix) {
		return true
	}
	return false
}
