package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"sync/atomic"

	"b2form/internal/visible"
	"b2form/schema/addr"
)

// A journalRecord is one line of the journal. Its members are applied in their order
// here; all of a line counts, or nothing of it.
type journalRecord struct {
	FormatVersion int              `json:"version,omitempty"` // first line of a journal
	PreviousChunk *fileVersion     `json:"after,omitempty"`   // likewise: the part that this one continues
	Bind          *accountBinding  `json:"bind,omitempty"`
	Forget        *addr.Addr       `json:"forget,omitempty"`
	Put           *addr.StateEntry `json:"put,omitempty"`
	Drop          []intentKey      `json:"drop,omitempty"`
	Announce      []CreateIntent   `json:"begin,omitempty"`
	Applied       *AppliedDigests  `json:"applied,omitempty"`
}

func (c *changes) applyRecord(r *journalRecord) {
	if r.Bind != nil {
		c.binding = r.Bind
	}
	if r.Forget != nil {
		c.entries[*r.Forget] = nil
	}
	if r.Put != nil {
		c.entries[r.Put.Addr] = r.Put
	}
	for _, k := range r.Drop {
		c.intentChanges[k] = nil
	}
	for i := range r.Announce {
		c.intentChanges[r.Announce[i].key()] = &r.Announce[i]
	}
	if r.Applied != nil {
		c.applied = r.Applied
	}
}

// A checksummedLine line carries a checksum of its record.
type checksummedLine struct {
	CRC32  string          `json:"sum"` // CRC-32 (IEEE) of the bytes of Record, in hex
	Record json.RawMessage `json:"do"`
}

func crc32Hex(b []byte) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE(b)) }

func (r *journalRecord) encodeLine() []byte {
	do := compactJSON(r)
	return fmt.Appendf(nil, "{\"sum\":%q,\"do\":%s}\n", crc32Hex(do), do)
}

// journalHeader is the first line of a journal on top of base.
func journalHeader(base *State) *journalRecord {
	r := &journalRecord{FormatVersion: formatVersion}
	if base.AccountID != "" {
		r.Bind = &accountBinding{base.AccountID, base.Realm}
	}
	return r
}

// A parsedJournal is what was read of one.
type parsedJournal struct {
	changes
	validSize        int // of its whole lines, in bytes
	maxFormatVersion int // the highest that it names
}

// parseJournal reads a journal, as strictly as a state is read. What fails its checksum at the
// end is passed over: it was being written when the run died, so nobody was told that it
// is stored. Anywhere else it is an error, and so is a line that is whole and not
// understood: what follows it, or was meant by it, must not be lost unseen.
func parseJournal(path string, raw []byte, base *State) (parsedJournal, error) {
	j := parsedJournal{changes: newChanges()}
	damaged, number, at := 0, 0, 0
	for line := range bytes.Lines(raw) {
		number++
		at += len(line)
		do, ok := verifyLine(line)
		if !ok {
			if damaged == 0 {
				damaged = number
			}
			continue
		}
		if damaged > 0 {
			return j, damagedJournalError(path, damaged, "it does not have the checksum that it names")
		}
		r, err := decodeRecord(path, number, do)
		if err != nil {
			return j, err
		}
		if err := r.checkAccount(path, base); err != nil {
			return j, err
		}
		j.maxFormatVersion = max(j.maxFormatVersion, r.FormatVersion)
		j.applyRecord(r)
		j.validSize = at
	}
	return j, j.checkObjectsUnique(path, base)
}

// parseStateAndJournal reads the state and the journal that a server keeps; none of one: nothing was stored.
func parseStateAndJournal(where string, content, journal []byte) (base *State, c changes, err error) {
	base, where = &State{}, visible.EscapeLine(where)
	if len(content) > 0 {
		if base, err = Parse(where, content); err != nil {
			return nil, changes{}, err
		}
	}
	j, err := parseJournal(where, journal, base)
	return base, j.changes, err
}

// verifyLine gives the record of a line, as JSON, where the line is as it was written.
func verifyLine(line []byte) (recordJSON json.RawMessage, ok bool) {
	var s checksummedLine
	ok = json.Unmarshal(line, &s) == nil && crc32Hex(s.Record) == s.CRC32
	return s.Record, ok
}

func decodeRecord(path string, lineNumber int, recordJSON json.RawMessage) (*journalRecord, error) {
	var version struct{ Version int }
	if json.Unmarshal(recordJSON, &version) == nil && version.Version > formatVersion {
		return nil, newerVersionError(path, version.Version)
	}
	var r journalRecord
	d := json.NewDecoder(bytes.NewReader(recordJSON))
	d.DisallowUnknownFields()
	err := d.Decode(&r)
	if r.Bind != nil {
		r.Bind.Realm = realmWithoutLoopbackPort(r.Bind.Realm)
	}
	if err == nil {
		err = r.checkComplete()
	}
	if err != nil {
		return nil, damagedJournalError(path, lineNumber, strings.TrimPrefix(err.Error(), "json: "))
	}
	return &r, nil
}

// checkComplete finds what no run of b2form would have written.
func (r *journalRecord) checkComplete() error {
	if r.FormatVersion == 0 && r.Bind == nil && r.Forget == nil && r.Put == nil && len(r.Drop) == 0 && len(r.Announce) == 0 &&
		r.Applied == nil {
		return errors.New("it says nothing")
	}
	if r.Forget != nil && r.Forget.Kind == "" {
		return errors.New(`"forget" names no address`)
	}
	if r.Put != nil {
		if err := checkEntryComplete(r.Put); err != nil {
			return err
		}
	}
	for _, k := range r.Drop {
		if k.Addr.Kind == "" || k.Identity == "" {
			return errors.New(`"drop" lacks "address" or "identity"`)
		}
	}
	for i := range r.Announce {
		if err := r.Announce[i].checkComplete(); err != nil {
			return err
		}
	}
	return nil
}

// checkAccount refuses a journal that was left for another account than the state is of.
func (r *journalRecord) checkAccount(path string, base *State) error {
	b := r.Bind
	if b == nil || *b == (accountBinding{}) || base.AccountID == "" || *b == (accountBinding{base.AccountID, base.Realm}) {
		return nil
	}
	return newError(path, "Journal belongs to another account",
		fmt.Sprintf("%s was left by an interrupted run for account %s at %s, but the state beside it is of account %s at %s. "+
			"Put the state back that belongs to it, or move the journal away.", path, b.AccountID, b.Realm, base.AccountID, base.Realm))
}

// checkObjectsUnique refuses a journal that makes the state name one object twice.
func (j *parsedJournal) checkObjectsUnique(path string, base *State) error {
	if len(j.entries) == 0 {
		return nil
	}
	return j.applyTo(base).checkObjectsUnique(path)
}

// WriteStats is what a Store has written so far, to journal and state.
type WriteStats struct {
	Bytes int64
	Syncs int64 // of files and directories
}

// A writeCounter adds up Stats; its zero value is ready.
type writeCounter struct{ bytes, syncs atomic.Int64 }

func (c *writeCounter) sync(sync func() error) error {
	c.syncs.Add(1)
	return sync()
}

func (c *writeCounter) stats() WriteStats {
	return WriteStats{Bytes: c.bytes.Load(), Syncs: c.syncs.Load()}
}

func (c *writeCounter) writer(w io.Writer) io.Writer { return countingWriter{w, c} }

type countingWriter struct {
	w       io.Writer
	counter *writeCounter
}

func (w countingWriter) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	w.counter.bytes.Add(int64(n))
	return n, err
}
