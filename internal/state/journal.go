package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"b2form/schema/kind"
)

// A record is one line of the journal. Its members are applied in their order
// here; all of a line counts, or nothing of it.
type record struct {
	Version int         `json:"version,omitempty"` // first line of a journal
	Bind    *binding    `json:"bind,omitempty"`
	Forget  *kind.Addr  `json:"forget,omitempty"`
	Put     *kind.Entry `json:"put,omitempty"`
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

// A sealed line carries a checksum of its record.
type sealed struct {
	Sum string          `json:"sum"` // CRC-32 (IEEE) of the bytes of do, in hex
	Do  json.RawMessage `json:"do"`
}

func checksum(b []byte) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE(b)) }

func (r *record) line() []byte {
	do := compact(r)
	return fmt.Appendf(nil, "{\"sum\":%q,\"do\":%s}\n", checksum(do), do)
}

// replay reads a journal. A line that fails its checksum is passed over: it was
// being written when the run died, so nobody was told that it is stored; and
// since every other line stands for itself, they count whatever surrounds them.
func replay(path string, raw []byte, base *State) (changes, error) {
	c := newChanges()
	for line := range bytes.Lines(raw) {
		var s sealed
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
		if b := r.Bind; b != nil && base.AccountID != "" && *b != (binding{base.AccountID, base.Realm}) {
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

// file is what the journal needs of *os.File.
type file interface {
	io.WriteCloser
	Sync() error
}

// A journal appends lines with group commit: while one batch is being synced,
// everything that arrives gathers in the next, and its first caller writes it
// for all. So n callers cost far fewer than n syncs, without a goroutine and
// without waiting for company.
type journal struct {
	open  func() (file, error)
	head  []byte // written in front of the first batch; nil: the journal has it
	count *counter

	mu   sync.Mutex
	next *batch // gathering; nil: nobody waits

	turn chan struct{} // held while writing; guards what follows
	file file
	torn bool // what is on disk may end within a line
}

type batch struct {
	lines []byte
	done  chan struct{}
	err   error
}

// newJournal prepares appending to the journal at path, of which raw is there
// already. Nothing is created before the first line.
func newJournal(path string, raw []byte, head record, count *counter) *journal {
	j := &journal{count: count, turn: make(chan struct{}, 1)}
	j.torn = len(raw) > 0 && raw[len(raw)-1] != '\n'
	if len(raw) == 0 {
		j.head = head.line()
	}
	j.open = func() (file, error) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, err
		}
		if err := count.sync(func() error { return syncDir(filepath.Dir(path)) }); err != nil {
			f.Close()
			return nil, err
		}
		return f, nil
	}
	return j
}

// enqueue adds lines to the batch that is gathering. The order of calls is the
// order in the journal. leads says that the caller must commit the batch; all
// others wait for it.
func (j *journal) enqueue(lines []byte) (b *batch, leads bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.next == nil {
		j.next, leads = &batch{done: make(chan struct{})}, true
	}
	j.next.lines = append(j.next.lines, lines...)
	return j.next, leads
}

// commit returns when the batch is durable, or failed.
func (j *journal) commit(b *batch, leads bool) error {
	if leads {
		j.turn <- struct{}{}
		j.mu.Lock()
		j.next = nil
		j.mu.Unlock()
		b.err = j.write(b.lines)
		<-j.turn
		close(b.done)
	}
	<-b.done
	return b.err
}

func (j *journal) write(lines []byte) error {
	if j.file == nil {
		f, err := j.open()
		if err != nil {
			return err
		}
		j.file = f
	}
	if j.head != nil {
		lines = append(j.head, lines...)
	}
	if j.torn {
		lines = append([]byte{'\n'}, lines...)
	}
	j.torn = true
	if _, err := j.count.writer(j.file).Write(lines); err != nil {
		return err
	}
	j.torn, j.head = false, nil
	return j.count.sync(j.file.Sync)
}

// close gives up the file. Every batch must have been committed. What fails here
// was synced before.
func (j *journal) close() {
	if j.file != nil {
		_ = j.file.Close()
		j.file = nil
	}
}
