package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"sync/atomic"

	"b2form/schema/addr"
)

// A record is one line of the journal. Its members are applied in their order
// here; all of a line counts, or nothing of it.
type record struct {
	Version int         `json:"version,omitempty"` // first line of a journal
	After   *object     `json:"after,omitempty"`   // likewise: the part that this one continues
	Bind    *binding    `json:"bind,omitempty"`
	Forget  *addr.Addr  `json:"forget,omitempty"`
	Put     *addr.Entry `json:"put,omitempty"`
	Drop    []intentKey `json:"drop,omitempty"`
	Begin   []Intent    `json:"begin,omitempty"`
}

func (c *changes) apply(r *record) {
	if r.Bind != nil {
		c.bound = r.Bind
	}
	if r.Forget != nil {
		c.entries[*r.Forget] = nil
	}
	if r.Put != nil {
		c.entries[r.Put.Addr] = r.Put
	}
	for _, k := range r.Drop {
		c.open[k] = nil
	}
	for i := range r.Begin {
		c.open[r.Begin[i].key()] = &r.Begin[i]
	}
}

// A checksummed line carries a checksum of its record.
type checksummed struct {
	Sum string          `json:"sum"` // CRC-32 (IEEE) of the bytes of do, in hex
	Do  json.RawMessage `json:"do"`
}

func checksum(b []byte) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE(b)) }

func (r *record) line() []byte {
	do := compact(r)
	return fmt.Appendf(nil, "{\"sum\":%q,\"do\":%s}\n", checksum(do), do)
}

// head is the first line of a journal on top of base.
func head(base *State) *record {
	r := &record{Version: formatVersion}
	if base.AccountID != "" {
		r.Bind = &binding{base.AccountID, base.Realm}
	}
	return r
}

// replay reads a journal. A line that fails its checksum is passed over: it was
// being written when the run died, so nobody was told that it is stored; and
// since every other line stands for itself, they count whatever surrounds them.
func replay(path string, raw []byte, base *State) (changes, error) {
	c := newChanges()
	for line := range bytes.Lines(raw) {
		var s checksummed
		if json.Unmarshal(line, &s) != nil || checksum(s.Do) != s.Sum {
			continue
		}
		var r record
		err := json.Unmarshal(s.Do, &r)
		if r.Version > formatVersion {
			return c, newer(path, r.Version)
		}
		if err != nil {
			return c, &Error{
				Summary: "Journal of the state cannot be read",
				Detail:  fmt.Sprintf("A line of %s is whole but not understood: %s. Use the b2form that wrote it, or move the file away.", path, err),
				Path:    path,
			}
		}
		if b := r.Bind; b != nil && *b != (binding{}) && base.AccountID != "" && *b != (binding{base.AccountID, base.Realm}) {
			return c, &Error{
				Summary: "Journal belongs to another account",
				Detail: fmt.Sprintf("%s was left by an interrupted run for account %s at %s, but the state beside it is of account %s at %s. "+
					"Put the state back that belongs to it, or move the journal away.", path, b.AccountID, b.Realm, base.AccountID, base.Realm),
				Path: path,
			}
		}
		c.apply(&r)
	}
	return c, nil
}

// Stats is what a Store has written so far, to journal and state.
type Stats struct {
	Bytes int64
	Syncs int64 // of files and directories
}

// A counter adds up Stats; its zero value is ready.
type counter struct{ bytes, syncs atomic.Int64 }

func (c *counter) sync(sync func() error) error {
	c.syncs.Add(1)
	return sync()
}

func (c *counter) stats() Stats { return Stats{Bytes: c.bytes.Load(), Syncs: c.syncs.Load()} }

func (c *counter) writer(w io.Writer) io.Writer { return countingWriter{w, c} }

type countingWriter struct {
	w io.Writer
	c *counter
}

func (w countingWriter) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	w.c.bytes.Add(int64(n))
	return n, err
}
