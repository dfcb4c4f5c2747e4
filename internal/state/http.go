package state

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"b2form/internal/secret"
	"b2form/internal/visible"
)

// HTTPBackend is the Backend that keeps a state behind a server of Terraform's http protocol:
// GET, POST, LOCK and UNLOCK. The state and its journal are one document with a serial
// that grows. The protocol compares no serials and has no lock that expires; what is done
// about that is in docs/adr/0027.
//
// Errors are *Error, or those of contexts.
type HTTPBackend struct {
	Address                     string // where the document is; "https://example.com/states/web"
	UpdateMethod                string // "POST"
	LockAddress, LockMethod     string // "": there is no lock; "LOCK"
	UnlockAddress, UnlockMethod string // "UNLOCK"
	Username                    string
	Password                    secret.Value
	Transport                   http.RoundTripper
	// How often a request is repeated, and how long is waited before, at first and at most.
	Retries                      int
	FirstRetryWait, MaxRetryWait time.Duration
	ProgramVersion               string // of b2form, for those who look at the lock
	MaxBytes                     int64  // of the document; 0: 64 MiB, some hundred thousand entries
}

func (h HTTPBackend) maxBytes() int64 { return cmp.Or(h.MaxBytes, 64<<20) }

// httpLockInfo is who holds a lock, as Terraform writes it.
type httpLockInfo struct {
	ID, Operation, Info, Who, Version string
	Created                           time.Time
	Path                              string
}

// String is what messages call the state: the address without what may hold a secret.
func (h HTTPBackend) String() string { return displayURL(h.Address) }

func displayURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the server of the state"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// backendArgumentFor is the argument of the backend that an address comes from.
func (h HTTPBackend) backendArgumentFor(address string) string {
	switch displayURL(address) {
	case h.String():
		return "address"
	case displayURL(h.LockAddress):
		return "lock_address"
	}
	return "unlock_address"
}

// Read implements [Backend]. It is one request.
func (h HTTPBackend) Read(ctx context.Context) (*State, error) {
	d, err := h.getDocumentOrEmpty(ctx)
	if err != nil {
		return nil, err
	}
	base, c, err := parseStateAndJournal(h.String(), d.State, []byte(d.Journal))
	if err != nil {
		return nil, err
	}
	return c.applyTo(base), nil
}

// Open implements [Backend]. The lock has no end of its own, so that of a run that was killed
// stays until it is broken.
func (h HTTPBackend) Open(ctx context.Context, o Options) (*Store, error) {
	if h.LockAddress == "" && !o.NoLock {
		return nil, h.noLockError()
	}
	k := &httpStorage{HTTPBackend: h, runID: rand.Text(), usesLock: !o.NoLock, uncancelledCtx: context.WithoutCancel(ctx),
		lockStatus:    lockStatus{now: o.Now},
		turnSemaphore: make(chan struct{}, 1)}
	if k.usesLock {
		self := httpLockInfo{ID: k.runID, Operation: o.Operation, Who: o.LockOwner, Version: h.ProgramVersion, Created: o.Now().UTC(),
			Path: h.String()}
		if err := h.acquireLock(ctx, self, o); err != nil {
			return nil, err
		}
		k.lock = self
	}
	s, err := k.readAndClaim(ctx)
	if err != nil {
		k.unlock()
		return nil, err
	}
	s.now = o.Now
	return s, nil
}

func (h HTTPBackend) noLockError() *Error {
	return h.error("The state has no lock", "The backend names no lock_address, so nothing would keep two runs apart. Set it to "+
		"where the server takes LOCK, often the address itself; or, where the server has no lock, run with -lock=false and see to it "+
		"that runs follow each other.")
}

// acquireLock takes the lock, trying for as long as o says.
func (h HTTPBackend) acquireLock(ctx context.Context, self httpLockInfo, o Options) error {
	return o.waitForLock(ctx, func() (*LockedError, error) { return h.tryLock(ctx, self) },
		func(*LockedError) time.Duration { return jitter(retryLease) }, httpLockedError)
}

// tryLock takes the lock, or says who has it.
func (h HTTPBackend) tryLock(ctx context.Context, self httpLockInfo) (held *LockedError, err error) {
	r, err := h.sendWithRetries(ctx, h.LockMethod, h.LockAddress, compactJSON(self), maxHTTPReply)
	switch {
	case err != nil:
		return nil, err
	case r.succeeded():
		return nil, nil
	case r.status != http.StatusLocked && r.status != http.StatusConflict:
		return nil, h.refusedError("take the lock", r)
	}
	var holder httpLockInfo
	_ = json.Unmarshal(r.body, &holder) // what cannot be read is left empty
	if holder.ID == self.ID {
		return nil, nil // the reply to an earlier try was lost
	}
	return &LockedError{Path: h.String(), Operation: holder.Operation, Who: holder.Who, Created: holder.Created, HTTPLockID: holder.ID}, nil
}

func (h HTTPBackend) releaseLock(ctx context.Context, self httpLockInfo) error {
	r, err := h.sendWithRetries(ctx, h.UnlockMethod, h.UnlockAddress, compactJSON(self), maxHTTPReply)
	if err == nil && !r.succeeded() && !r.requestRepeated { // repeated: the first may have succeeded
		err = h.refusedError("give the lock back", r)
	}
	return err
}

// LockHolder implements [Backend]. The protocol cannot ask, so the lock is taken for a moment
// where it is free. Where there is none it is an *Error.
func (h HTTPBackend) LockHolder(ctx context.Context) (*LockedError, error) {
	if h.LockAddress == "" {
		return nil, h.noLockError()
	}
	self := httpLockInfo{ID: rand.Text(), Operation: "lock", Who: "b2form", Version: h.ProgramVersion, Path: h.String()}
	held, err := h.tryLock(ctx, self)
	if held != nil || err != nil {
		return held, err
	}
	return nil, h.releaseLock(ctx, self)
}

// BreakLock implements [Backend]. The state is stored again under another name of a run, so
// that the one that held the lock finds out.
func (h HTTPBackend) BreakLock(ctx context.Context) (formerHolder *LockedError, err error) {
	held, err := h.LockHolder(ctx)
	if held == nil || err != nil {
		return nil, err
	}
	lock := httpLockInfo{ID: held.HTTPLockID, Operation: held.Operation, Who: held.Who, Created: held.Created}
	if err := h.releaseLock(ctx, lock); err != nil {
		return nil, err
	}
	s, err := h.Open(ctx, Options{Operation: "lock -break", Now: func() time.Time { return held.Created }})
	if err == nil {
		return held, s.Close()
	}
	switch now, locked := errors.AsType[*LockedError](err); {
	case locked && now.HTTPLockID == held.HTTPLockID:
		return nil, lockNotBrokenError(now, "Its server took the request and says that it is held as before. Remove it there, with what "+
			"the server has for that; or look whether unlock_address and unlock_method of the backend are right.")
	case locked: // by somebody who came at once, and has stored the state for the same purpose
		return held, nil
	}
	return held, err
}

// CheckServerByTrial does with the server what a run does: it takes the lock, stores the state that is there again,
// reads it and gives the lock back; and it makes sure that nobody else gets the lock meanwhile. The
// state is as it was. It is an *Error with a *LockedError where another run has the lock.
func (h HTTPBackend) CheckServerByTrial(ctx context.Context, o Options) error {
	o.NoLock = false
	s, err := h.Open(ctx, o)
	if err != nil {
		return err
	}
	other := httpLockInfo{ID: rand.Text(), Operation: o.Operation, Who: o.LockOwner, Version: h.ProgramVersion, Created: o.Now().UTC(),
		Path: h.String()}
	held, err := h.tryLock(ctx, other)
	if held == nil && err == nil {
		err = errors.Join(h.error("The server does not keep runs apart",
			fmt.Sprintf("The server at %s gave the lock of the state to one run and then, while that had it, to another. With it two "+
				"runs would change the state at once. Look whether lock_address and lock_method of the backend are right; else use a "+
				"server that has locks.", visible.EscapeLine(h.String()))),
			h.releaseLock(ctx, other))
	}
	return errors.Join(err, s.Close())
}

// httpLockedError is about a lock that may be left of a run that was killed.
func httpLockedError(held *LockedError) *Error {
	return stateLockedError(held, anotherRun+", or another program,", "or let b2form wait with -lock-timeout=5m. The lock of a run that "+
		"was killed stays: make sure that it is gone, then remove its lock with `b2form lock -break`.")
}

// error is an *Error about this state.
func (h HTTPBackend) error(summary, detail string) *Error {
	return &Error{Summary: summary, Detail: detail, Path: h.String()}
}

// refusedError explains a reply that is a refusal.
func (h HTTPBackend) refusedError(requestedAction string, r *httpReply) *Error {
	argument, where := h.backendArgumentFor(r.address), visible.EscapeLine(displayURL(r.address))
	todo := "Correct what it says, then run the same command again."
	switch {
	case r.status >= 300 && r.status < 400:
		todo = "b2form does not follow it, since the credentials belong to the address alone. Set " + argument + " to where it leads."
	case r.status == http.StatusUnauthorized:
		todo = "Set TF_HTTP_USERNAME and TF_HTTP_PASSWORD to credentials that this server knows."
	case r.status == http.StatusForbidden:
		todo = "Set TF_HTTP_USERNAME and TF_HTTP_PASSWORD to credentials that may do this; on GitLab reading takes the role of a " +
			"developer, and storing and locking that of a maintainer."
	case r.status == http.StatusNotFound, r.status == http.StatusMethodNotAllowed, r.status == http.StatusNotImplemented:
		todo = "Correct " + argument + " of the backend or its method: this server takes no such request there."
	case r.status == http.StatusRequestEntityTooLarge, r.status == http.StatusInsufficientStorage:
		todo = "Make room for the state, or raise the limit of its size, then run the same command again."
	}
	return h.error("The server of the state refuses",
		fmt.Sprintf("The server at %s was asked to %s and answered %d %s%s. %s", where, requestedAction,
			r.status, http.StatusText(r.status), h.replyExcerptClause(r.body), todo))
}
