package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/tidwall/gjson"

	"b2form/internal/pause"
	"b2form/internal/visible"
	"b2form/schema/wire"
)

// maxSerial is the largest serial that is taken. Each change counts it up, and servers that
// write JSON anew keep larger numbers only in part.
const maxSerial = 1 << 53

// An httpDocument is what the server keeps. Servers read serial, and some take the members
// id, name and ID for their own parameters.
type httpDocument struct {
	FormatVersion int `json:"version"`
	// ProgramName stands where Terraform and OpenTofu write their own version: they take what has the
	// other members and not this one for an empty state of theirs, and refuse what is no version.
	ProgramName string          `json:"terraform_version"`
	Serial      int64           `json:"serial"`          // one more with each version
	RunID       string          `json:"run"`             // of whom this version is
	State       json.RawMessage `json:"state,omitempty"` // as in a file; none: nothing is recorded
	// Journal is lines of the journal on top of State, as one text, so that a server that
	// writes JSON anew leaves their checksums right.
	Journal string `json:"journal,omitempty"`
}

// hasSameSerialAndRun reports whether two are the same version.
func (d *httpDocument) hasSameSerialAndRun(other *httpDocument) bool {
	return d.Serial == other.Serial && d.RunID == other.RunID
}

// getDocumentOrEmpty reads the document; one that does not exist is empty.
func (h HTTPBackend) getDocumentOrEmpty(ctx context.Context) (*httpDocument, error) {
	r, err := h.sendWithRetries(ctx, http.MethodGet, h.Address, nil, h.maxBytes())
	switch {
	case err != nil:
		return nil, err
	case r.status == http.StatusNotFound || r.succeeded() && len(bytes.TrimSpace(r.body)) == 0:
		return &httpDocument{}, nil
	case r.status != http.StatusOK:
		return nil, h.refusedError("give the state", r)
	}
	return h.parse(r.body)
}

// parse reads a document as strictly as a state.
func (h HTTPBackend) parse(data []byte) (*httpDocument, error) {
	var version struct{ Version int }
	where := visible.EscapeLine(h.String())
	if isTerraformState(string(data)) {
		return nil, terraformStateError(where)
	}
	if json.Unmarshal(data, &version) == nil && version.Version > formatVersion {
		return nil, newerVersionError(where, version.Version)
	}
	d, whole := &httpDocument{}, decoder{path: where, data: string(data)}
	if wire.FindTooDeep(whole.data, wire.MostNested) >= 0 {
		return nil, whole.damagedError(whole.syntaxError())
	}
	if whole.decodeDocument(d) != nil || d.FormatVersion < 1 || d.Serial < 1 || d.RunID == "" {
		return nil, h.error("The server has no state of b2form",
			"What the server at "+where+" answers is no state that b2form stored. It was "+
				"left as it is. Correct the address, or take away what is there: b2form then finds everything again by name and takes "+
				"it back with one approval.")
	}
	if d.Serial > maxSerial {
		return nil, h.error("The serial of the state cannot grow",
			fmt.Sprintf("The server at %s answers a state with the serial %d, which "+
				"cannot be counted up. It was left as it is. Restore an earlier version of the state there, or set \"serial\" to a "+
				"smaller number.", where, d.Serial))
	}
	return d, nil
}

// decodeDocument reads a document as decodeState does a state: members are written as they are
// defined, each at most once, and nothing follows.
func (d *decoder) decodeDocument(into *httpDocument) error {
	if !gjson.Valid(d.data) {
		return d.syntaxError()
	}
	whole := gjson.Parse(d.data)
	if err := d.forEachMemberOrElement(whole, func(member, _ gjson.Result) error {
		if member.Str != strings.ToLower(member.Str) {
			return fmt.Errorf("%q is not known here", member.Str)
		}
		return nil
	}); err != nil {
		return err
	}
	return decodeStrict(whole, into)
}

// storedStateMissingError says that a state was stored and is not there.
func (h HTTPBackend) storedStateMissingError() error {
	return h.error("The server does not have the state that it took", fmt.Sprintf("The server at %s has taken the state and now answers "+
		"that there is none, or the one before, so nothing further is sent. What this run did last may not be recorded. If the server "+
		"does not keep what it takes, or keeps it elsewhere, correct the address and the methods of the backend. If somebody has "+
		"deleted the state, run the same command again: it begins with a look at what was left.", visible.EscapeLine(h.String())))
}

// httpStorage is the storage of a state behind a server.
type httpStorage struct {
	HTTPBackend
	runID          string // names this run, and its lock
	usesLock       bool
	lock           httpLockInfo
	uncancelledCtx context.Context // outlives the run's
	writeCounter
	lockStatus

	turnSemaphore      chan struct{}   // held over requests that look at the document or store it, so it is no mutex
	knownDocument      *httpDocument   // as this run last read or stored it
	unconfirmedStores  []*httpDocument // what it stored without learning what came of that
	finishedCheckCount atomic.Int64    // how many have come to an end
}

// readAndClaim reads the state and stores it under the name of this run, so that a run whose lock was
// taken away finds out before this one acts.
func (k *httpStorage) readAndClaim(ctx context.Context) (*Store, error) {
	began := k.now()
	d, err := k.getDocumentOrEmpty(ctx)
	if err != nil {
		return nil, err
	}
	base, c, err := parseStateAndJournal(k.String(), d.State, []byte(d.Journal))
	if err != nil {
		return nil, err
	}
	k.knownDocument = d
	k.setConfirmedAt(began)
	if k.usesLock {
		if err := k.storeBetweenChecks(func(now *httpDocument) *httpDocument {
			return &httpDocument{State: now.State, Journal: now.Journal}
		}); err != nil {
			return nil, err
		}
	}
	return newStore(k.String(), k, base, c), nil
}

// append stores a document with more lines. The check that must follow is on its way when it
// returns; a change that comes meanwhile waits for it, and needs no check of its own before.
func (k *httpStorage) append(lines []byte) error {
	checks := k.finishedCheckCount.Load()
	k.turnSemaphore <- struct{}{}
	err := error(nil)
	if k.finishedCheckCount.Load() == checks {
		err = k.checkUnchanged()
	}
	if err == nil {
		err = k.store(func(now *httpDocument) *httpDocument {
			return &httpDocument{State: now.State, Journal: now.Journal + string(lines)}
		})
	}
	if err != nil {
		k.endTurn()
		return err
	}
	go func() {
		defer k.endTurn()
		_ = k.checkUnchanged() // what it finds, the next check tells
	}()
	return nil
}

// storeBetweenChecks is store for those who have the turn and time.
func (k *httpStorage) storeBetweenChecks(change func(now *httpDocument) *httpDocument) error {
	err := k.checkUnchanged()
	before := k.knownDocument
	if err == nil {
		err = k.store(change)
	}
	if err == nil {
		err = k.checkUnchangedAfterReplacing(before)
	}
	return err
}

// store makes what change gives the document. There was a look just before, and another one
// follows.
func (k *httpStorage) store(change func(now *httpDocument) *httpDocument) error {
	if err := k.lostErrIfAny(); err != nil {
		return err
	}
	next := change(k.knownDocument)
	next.FormatVersion, next.ProgramName, next.RunID, next.Serial = formatVersion, "b2form", k.runID, k.knownDocument.Serial+1
	if n := len(k.unconfirmedStores); n > 0 {
		next.Serial = max(next.Serial, k.unconfirmedStores[n-1].Serial+1)
	}
	body := compactJSON(next)
	if int64(len(body)) > k.maxBytes() {
		return k.error("The state is too large for its server", fmt.Sprintf("With what this run records it has %d MiB, and behind a "+
			"server b2form keeps %d MiB at most. Nothing was stored. Keep it in a bucket or a database, or divide the configuration.",
			len(body)>>20, k.maxBytes()>>20))
	}
	k.unconfirmedStores = append(k.unconfirmedStores, next)
	for try, wait := 0, k.FirstRetryWait; ; try++ {
		r, err := k.sendOnce(k.uncancelledCtx, k.UpdateMethod, k.addressWithLockID(), body, maxHTTPReply)
		k.writeCounter.bytes.Add(int64(len(body)))
		switch {
		case errors.As(err, new(*Error)):
			return err
		case err == nil && r.succeeded():
			k.noteStored(next)
			return nil
		case err == nil && (r.status == http.StatusConflict || r.status == http.StatusLocked || r.status == http.StatusPreconditionFailed):
			return k.markTakenOver(k.String()) // the lock that the request named is not the one there is
		case err == nil && !r.isRetryable():
			return k.refusedError("store the state", r)
		}
		switch checkErr := k.checkUnchanged(); {
		case checkErr != nil || k.knownDocument == next:
			return checkErr
		case try >= k.Retries && err != nil:
			return k.explainUnreachable(k.Address, err)
		case try >= k.Retries:
			return k.refusedError("store the state", r)
		}
		if err := pause.For(k.uncancelledCtx, max(wait, min(r.retryAfter(), k.MaxRetryWait))); err != nil {
			return err
		}
		wait = min(2*wait, k.MaxRetryWait)
	}
}

func (k *httpStorage) endTurn() { <-k.turnSemaphore }

// noteStored notes that d is stored.
func (k *httpStorage) noteStored(d *httpDocument) {
	k.knownDocument = d
	k.unconfirmedStores = slices.DeleteFunc(k.unconfirmedStores, func(t *httpDocument) bool { return t == d })
	k.writeCounter.syncs.Add(1)
}

// checkUnchanged finds out whether the document is as this run knows it: what it has stored last, or
// what it tried to store since. All else is another run's, or an older one of its own that came
// late.
func (k *httpStorage) checkUnchanged() error { return k.checkUnchangedAfterReplacing(nil) }

// checkUnchangedAfterReplacing is checkUnchanged just after a version was stored in place of before; nil: of none.
func (k *httpStorage) checkUnchangedAfterReplacing(before *httpDocument) error {
	began := k.now()
	there, err := k.getDocumentOrEmpty(k.uncancelledCtx)
	if err != nil {
		return err
	}
	k.finishedCheckCount.Add(1)
	if i := slices.IndexFunc(k.unconfirmedStores, there.hasSameSerialAndRun); i >= 0 && there.Serial > k.knownDocument.Serial {
		k.noteStored(k.unconfirmedStores[i])
	}
	if k.knownDocument.Serial > 0 && (there.Serial == 0 || before != nil && there.hasSameSerialAndRun(before)) {
		return k.markLost(k.storedStateMissingError())
	}
	if !there.hasSameSerialAndRun(k.knownDocument) {
		return k.markTakenOver(k.String())
	}
	k.setConfirmedAt(began)
	return nil
}

// addressWithLockID names the lock, so that a server that compares it refuses others.
func (k *httpStorage) addressWithLockID() string {
	u, err := url.Parse(k.Address)
	if err != nil || !k.usesLock {
		return k.Address
	}
	q := u.Query()
	q.Set("ID", k.runID)
	u.RawQuery = q.Encode()
	return u.String()
}

func (k *httpStorage) close(s *State) error {
	k.turnSemaphore <- struct{}{}
	defer k.endTurn()
	defer k.stopChecks()
	if err := k.lostErrIfAny(); err != nil {
		return err // the lock may be another run's
	}
	stored, err := json.RawMessage(nil), error(nil)
	switch {
	case s == nil:
		stored = k.knownDocument.State
	case !s.IsEmpty():
		var content bytes.Buffer
		err = s.Encode(&content)
		stored = content.Bytes()
	}
	if err == nil && (s != nil || k.knownDocument.Journal != "" || len(k.unconfirmedStores) > 0) {
		err = k.storeBetweenChecks(func(*httpDocument) *httpDocument { return &httpDocument{State: stored} })
	}
	if k.lostErrIfAny() == nil {
		err = errors.Join(err, k.unlock())
	}
	return err
}

func (k *httpStorage) unlock() error {
	if !k.usesLock {
		return nil
	}
	return k.releaseLock(k.uncancelledCtx, k.lock)
}

// checkStateStillOurs looks at the document where the last look is too old to rely on.
func (k *httpStorage) checkStateStillOurs() error {
	return k.checkIfStale(func() error {
		k.turnSemaphore <- struct{}{}
		defer k.endTurn()
		return k.checkIfStale(k.checkUnchanged) // another may have looked meanwhile
	})
}
