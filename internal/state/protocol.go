package state

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// This file is the protocol of the shared state, without anything that sends or
// waits: what an info pair of the bucket says, and the moves from one to the
// next. A move counts only when b2_update_bucket takes it with ifRevisionIs for
// the very revision that was looked at, so moves of different runs happen one
// after the other, each in full view of those before. docs/adr/0013 has the
// reasons.

// The times of a lease. leaseLength is on B2's clock; the others are on the
// clock of whoever holds it. A holder stops leaseGuard early, which must cover
// the whole second that a Date header may lag behind, how far B2's servers
// disagree, and how much faster than the holder's B2's clock runs in one length.
const (
	leaseLength = 2 * time.Minute
	leaseBeat   = 20 * time.Second
	leaseGuard  = 15 * time.Second
)

// A statePointer is the info pair of one state: which objects are the state, and who
// may change it.
type statePointer struct {
	FormatVersion int `json:"format"`
	stateAndJournalVersion
	Lease *lease `json:"lease,omitempty"`
}

// A stateAndJournalVersion of the state is an object, and the journal on top of it: the last
// of its parts, each of which names the one before. Zero: there is none.
type stateAndJournalVersion struct {
	State           fileVersion `json:"state,omitzero"`
	LastJournalPart fileVersion `json:"journal,omitzero"`
}

// A fileVersion is one file version in the bucket. No two are made under one name.
type fileVersion struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Size int64  `json:"size,omitempty"` // in bytes; 0: stored by a b2form that did not say
}

// A lease gives its holder the state until it expires, on B2's clock.
type lease struct {
	Nonce     string    `json:"nonce"` // of one run only
	Owner     string    `json:"owner"`
	Operation string    `json:"operation"`
	Since     time.Time `json:"since"`
	Expires   time.Time `json:"expires"`
}

// pointerIn is what the bucket's info says of the state.
func (b BucketBackend) pointerIn(v *bucketView) (statePointer, error) {
	p, err := parsePointer(b.String(), v.Info[b.bucketInfoKey()])
	if err == nil && !(isBelow(b.Prefix, p.State.Name) && isBelow(b.Prefix, p.LastJournalPart.Name)) {
		err = damagedPointerError(b.String())
	}
	return p, err
}

func isBelow(prefix, nameOrEmpty string) bool {
	return nameOrEmpty == "" || strings.HasPrefix(nameOrEmpty, prefix)
}

// parsePointer reads an info pair; "" is the pointer to no state.
func parsePointer(where, infoValue string) (statePointer, error) {
	p := statePointer{FormatVersion: formatVersion}
	if infoValue == "" {
		return p, nil
	}
	var written struct {
		FormatVersion int `json:"format"`
	}
	if err := json.Unmarshal([]byte(infoValue), &written); err == nil && written.FormatVersion > formatVersion {
		return p, newerVersionError(where, written.FormatVersion)
	}
	strict := json.NewDecoder(strings.NewReader(infoValue))
	strict.DisallowUnknownFields()
	if strict.Decode(&p) != nil || strict.More() || written.FormatVersion < 1 || p.State.isHalf() || p.LastJournalPart.isHalf() {
		return p, damagedPointerError(where)
	}
	p.FormatVersion = formatVersion // what is stored next has it
	return p, nil
}

func damagedPointerError(where string) *Error {
	return newError(where, "The pointer to the state is damaged",
		where+" has an info pair of b2form that cannot be read. Restore the pair, or remove it and run b2form "+
			"again: it names the file of the state that is left, or finds everything again by name and takes it back with one "+
			"approval.")
}

// isHalf reports whether a file version has an ID or a name, and not both.
func (v fileVersion) isHalf() bool { return (v.ID == "") != (v.Name == "") }

func (p statePointer) String() string { return string(compactJSON(p)) }

// leaseOfOther is the lease of somebody else that still runs at now.
func (p statePointer) leaseOfOther(ownNonce string, now time.Time) *lease {
	if p.Lease == nil || p.Lease.Nonce == ownNonce || !now.Before(p.Lease.Expires) {
		return nil
	}
	return p.Lease
}

// takeLease gives the state to the holder of l, or says who has it.
func (p statePointer) takeLease(l lease, now time.Time) (next statePointer, holder *lease) {
	if held := p.leaseOfOther(l.Nonce, now); held != nil {
		return p, held
	}
	if p.Lease != nil && p.Lease.Nonce == l.Nonce {
		l.Since = p.Lease.Since
	}
	p.Lease = &l
	return p, nil
}

// A leaseClaim is what a run goes by when it moves the pointer.
type leaseClaim struct {
	nonce string // of its lease; "": it works without one
	// knownVersions are the versions that the run has read, or tried to write since
	// without learning what came of it. Another one is somebody else's.
	knownVersions []stateAndJournalVersion
}

func (c leaseClaim) holdsLeaseIfClaimed(p statePointer) bool {
	return c.nonce == "" || p.Lease != nil && p.Lease.Nonce == c.nonce
}

// renewLease extends the lease. Whoever finds another lease, or a version that is not
// its own, has lost the state for good.
func (p statePointer) renewLease(c leaseClaim, expires time.Time) (next statePointer, ok bool) {
	if !c.holdsLeaseIfClaimed(p) || !slices.Contains(c.knownVersions, p.stateAndJournalVersion) {
		return p, false
	}
	if c.nonce != "" {
		extended := *p.Lease
		extended.Expires = expires
		p.Lease = &extended
	}
	return p, true
}

// commitVersion makes newVersion the state, and extends the lease.
func (p statePointer) commitVersion(c leaseClaim, newVersion stateAndJournalVersion, expires time.Time) (next statePointer, ok bool) {
	c.knownVersions = append(slices.Clone(c.knownVersions), newVersion) // the reply to an earlier try may have been lost
	next, ok = p.renewLease(c, expires)
	if ok {
		next.stateAndJournalVersion = newVersion
	}
	return next, ok
}

// commitAndReleaseLease makes newVersion the state and gives the lease back. Where that happened
// before, and only the reply was lost, another run may have the lease already.
func (p statePointer) commitAndReleaseLease(c leaseClaim, newVersion stateAndJournalVersion) (next statePointer, ok bool) {
	if !c.holdsLeaseIfClaimed(p) {
		return p, p.stateAndJournalVersion == newVersion || slices.Contains(c.knownVersions, newVersion)
	}
	next, ok = p.commitVersion(c, newVersion, time.Time{})
	if ok && c.nonce != "" {
		next.Lease = nil
	}
	return next, ok
}

// elapsed is the time from then to now by whichever of the two clocks, monotonic
// and wall, says more: one stands still while a machine sleeps, the other can be
// set back.
func elapsed(then, now time.Time) time.Duration {
	return max(now.Sub(then), now.Round(0).Sub(then.Round(0)), 0)
}

// asLockedError describes who holds the state.
func (l *lease) asLockedError(where string) *LockedError {
	return &LockedError{Path: where, Operation: l.Operation, Who: l.Owner, Created: l.Since, Expires: l.Expires}
}

func bucketLockedError(held *LockedError) *Error {
	return stateLockedError(held, anotherRun, "or let b2form wait with -lock-timeout=5m. The lock of a run that was killed ends by "+
		"itself; `b2form lock` shows it, and `b2form lock -break` removes it.")
}

func stateTakenOverError(where string) *Error {
	return newError(where, "Another run has the state",
		fmt.Sprintf("Another run has changed %s, or has taken over or broken the lock of this one, so nothing further is sent. "+
			"What this run did last may not be recorded. Run the same command again: it begins with a look at what was left.", where))
}

func lapsedLeaseError(where string) *Error {
	return newError(where, "The lock of the state ran out",
		fmt.Sprintf("The lock of %s was not renewed in time: this machine slept, or B2 could not be reached. Another run may "+
			"have the state now, so nothing further is sent. Run the same command again: it begins with a look at what was left.", where))
}
