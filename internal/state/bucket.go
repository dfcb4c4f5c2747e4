package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"b2form/internal/pause"
	"b2form/schema/wire"
)

const (
	retryLease = 3 * time.Second // how often, about, a held lease is looked at again
	maxSwaps   = 100             // conflicts in a row, each of which is somebody's success
	maxChunk   = 64 << 10        // a part of the journal that has grown to this is left behind
	maxParts   = 10_000          // of a journal: far more than one run writes
	maxPairs   = 10              // "b2_update_bucket"

	objectTimeFormat = "20060102t150405z" // in the names of objects
)

// bucketStorage is the storage of a shared state. Whatever changes the bucket takes its
// turn: the heartbeat, commits, and updates by the run itself.
type bucketStorage struct {
	BucketBackend
	lockOwner, operation string
	replacesLost         bool         // opened to store another state, so a lost pointer is no matter
	runID                string       // in the names of this run's objects
	heldByAtStart        *LockedError // who had the lock when this run began without one; nil: nobody

	untilCloseCtx context.Context // outlives the run's
	cancel        context.CancelFunc
	heartbeatDone chan struct{} // closed when the heartbeat has ended
	writeCounter
	bucketID string // the bucket's ID

	baseState       *State
	journalParts    []fileVersion // the parts of the journal
	lastPartContent []byte        // the last of them, which grows; nil: a new one is to be begun
	objectsMade     int           // objects, for their names

	updateSemaphore       chan struct{} // held over requests, so it is no mutex: who waits for it may give up
	lastView              *bucketView   // nil: must be read again
	onlyOursSinceRevision int64         // since this revision nobody else has updated the bucket
	claim                 leaseClaim

	lockStatus // what is confirmed is the lease: by our time, at or before that from which it runs
}

// acquireLease takes the lease, trying for as long as o says.
func (k *bucketStorage) acquireLease(ctx context.Context, o Options) error {
	return o.waitForLock(ctx, func() (*LockedError, error) { return k.tryAcquireLease(ctx) }, func(held *LockedError) time.Duration {
		now, _ := k.Remote.ServiceTime()
		return min(jitter(retryLease), max(held.Expires.Sub(now), time.Second))
	}, bucketLockedError)
}

func (k *bucketStorage) tryAcquireLease(ctx context.Context) (held *LockedError, err error) {
	k.updateSemaphore <- struct{}{}
	defer func() { <-k.updateSemaphore }()
	k.lastView = nil
	err = k.compareAndSwap(ctx, func(p statePointer, now time.Time) (statePointer, error) {
		if k.lastView.hasHidingRule(k.Prefix) {
			return p, k.hidingRuleError()
		}
		if !k.replacesLost {
			if err := k.checkPointerNotLost(ctx, k.lastView); err != nil {
				return p, err
			}
		}
		held = nil
		if k.claim.nonce == "" {
			k.heldByAtStart = k.holderIn(p)
		} else {
			l := lease{Nonce: k.claim.nonce, Owner: k.lockOwner, Operation: k.operation, Since: now, Expires: now.Add(leaseLength)}
			next, by := p.takeLease(l, now)
			if by != nil {
				held = by.asLockedError(k.String())
			}
			p = next
		}
		k.claim.knownVersions = []stateAndJournalVersion{p.stateAndJournalVersion}
		return p, nil
	})
	return held, err
}

func (k *bucketStorage) hidingRuleError() *Error {
	return newError(k.String(), "A lifecycle rule would delete the state",
		fmt.Sprintf("The bucket %s has a lifecycle rule with days_from_uploading_to_hiding for names that begin with %q, so B2 "+
			"would remove a state that does not change. Take that part out of the rule; days_from_hiding_to_deleting alone does no harm.",
			k.BucketName, k.Prefix))
}

// compareAndSwap moves the pointer: it looks at the bucket, has decide say what shall be
// next, and stores that unless the bucket was changed meanwhile; then it begins
// again. An error of decide counts only after a fresh look. now is B2's time.
func (k *bucketStorage) compareAndSwap(ctx context.Context,
	decide func(p statePointer, now time.Time) (next statePointer, err error)) error {
	for try := 1; ; try++ {
		fresh := k.lastView == nil || k.isClockStale()
		if fresh {
			v, err := k.readBucket(ctx)
			if err != nil {
				return err
			}
			k.lastView, k.onlyOursSinceRevision, k.bucketID = v, v.Revision, v.ID
		}
		p, err := k.pointerIn(k.lastView)
		if err != nil {
			return err
		}
		service, ours, err := k.serviceTime()
		if err != nil {
			return err
		}
		next, err := decide(p, service)
		if err != nil {
			if fresh {
				return err
			}
			k.lastView = nil
			continue
		}
		if next.String() != p.String() {
			err = k.storePointerIfUnchanged(ctx, next)
		}
		switch {
		case err == nil:
			k.setConfirmedAt(ours)
			return nil
		case !isConflict(err) || try == maxSwaps:
			k.lastView = nil
			return err
		}
		k.lastView = nil
		if err := pause.For(ctx, jitter(time.Duration(try)*10*time.Millisecond)); err != nil {
			return err
		}
	}
}

// serviceTime is B2's time as far as a lease may run from it, and ours at that moment.
// B2's clock may be a second ahead, and as much as the two drift apart since the
// last reply.
func (k *bucketStorage) serviceTime() (service, ours time.Time, err error) {
	service, sent := k.Remote.ServiceTime()
	if service.IsZero() {
		return service, ours, errors.New("the replies of this service carry no Date, which the lock of a shared state needs")
	}
	ours = k.now()
	return service.Add(elapsed(sent, ours)), ours, nil
}

// isClockStale reports whether what is known of B2's time is too old to make a lease
// of: the machine has slept.
func (k *bucketStorage) isClockStale() bool {
	_, sent := k.Remote.ServiceTime()
	return elapsed(sent, k.now()) > 2*leaseBeat
}

// storePointerIfUnchanged replaces the pair and keeps the bucket's other ones. A pointer to nothing
// is no pair.
func (k *bucketStorage) storePointerIfUnchanged(ctx context.Context, p statePointer) error {
	info := maps.Clone(k.lastView.Info)
	if info == nil {
		info = map[string]string{}
	}
	info[k.bucketInfoKey()] = p.String()
	if p.stateAndJournalVersion == (stateAndJournalVersion{}) && p.Lease == nil {
		delete(info, k.bucketInfoKey())
	}
	if len(info) > maxPairs {
		return k.noRoomError()
	}
	var v bucketView
	err := k.Remote.Call(ctx, "b2_update_bucket",
		map[string]any{"bucketId": k.lastView.ID, "bucketInfo": info, "ifRevisionIs": k.lastView.Revision}, &v)
	if err == nil {
		k.lastView = &v
		k.writeCounter.syncs.Add(1)
	}
	return k.withPurpose(err)
}

func isConflict(err error) bool {
	var e *wire.Error
	return errors.As(err, &e) && e.Status == http.StatusConflict
}

// startHeartbeat begins the heartbeat. It ends with close or abandon.
func (k *bucketStorage) startHeartbeat(ctx context.Context) {
	k.untilCloseCtx, k.cancel = context.WithCancel(ctx)
	k.heartbeatDone = make(chan struct{})
	if k.claim.nonce == "" {
		close(k.heartbeatDone)
		return
	}
	go func() {
		defer close(k.heartbeatDone)
		for pause.For(k.untilCloseCtx, leaseBeat) == nil && k.lostErrIfAny() == nil {
			k.renewLeaseIfOlder(0) // after a failure there is the next beat, and check
		}
	}()
}

// renewLeaseIfOlder renews the lease where it was not confirmed for longer than that.
func (k *bucketStorage) renewLeaseIfOlder(than time.Duration) {
	k.updateSemaphore <- struct{}{}
	defer func() { <-k.updateSemaphore }()
	if k.sinceConfirmed() <= than { // another may have asked meanwhile
		return
	}
	_ = k.updateIfLeaseHeld(func(p statePointer, now time.Time) (statePointer, bool) {
		return p.renewLease(k.claim, now.Add(leaseLength))
	})
}

// updateIfLeaseHeld is compareAndSwap by a run that holds the lease: once it finds that it does not, it
// never does again.
func (k *bucketStorage) updateIfLeaseHeld(step func(statePointer, time.Time) (next statePointer, holds bool)) error {
	if err := k.lostErrIfAny(); err != nil {
		return err
	}
	var gone *Error
	err := k.compareAndSwap(k.untilCloseCtx, func(p statePointer, now time.Time) (statePointer, error) {
		gone = nil
		next, ok := step(p, now)
		if !ok {
			gone = stateTakenOverError(k.String())
			return p, gone
		}
		return next, nil
	})
	if gone != nil {
		_ = k.markLost(gone)
	}
	return err
}

func (k *bucketStorage) checkStateStillOurs() error {
	if err := k.lostErrIfAny(); err != nil {
		return err
	}
	if k.claim.nonce != "" && k.sinceConfirmed() >= leaseLength-leaseGuard {
		return lapsedLeaseError(k.String())
	}
	return nil
}

// append stores the lines as the end of the journal: one object, and one move
// of the pointer. As long as a part is small, the next version of it has the new
// lines too, so a journal has few parts however many batches it took.
func (k *bucketStorage) append(lines []byte) error {
	now := k.lastKnownVersion()
	part, name := k.lastPartContent, now.LastJournalPart.Name
	if len(part) == 0 || len(part) > maxChunk {
		first := journalHeader(k.baseState)
		if now.LastJournalPart != (fileVersion{}) {
			first.PreviousChunk = &now.LastJournalPart
		}
		part, name = first.encodeLine(), k.newObjectName("journal")
		k.journalParts = append(k.journalParts, fileVersion{Name: name})
	}
	part = append(slices.Clone(part), lines...)
	made, err := k.uploadObject(name, part)
	if err != nil {
		return err
	}
	if err := k.commitVersion(stateAndJournalVersion{State: now.State, LastJournalPart: made}); err != nil {
		k.lastPartContent = nil // what is stored is not known; the next part stands for itself
		return err
	}
	k.lastPartContent = part
	return nil
}

// lastKnownVersion is what counts, as far as this run knows. Only append and close change
// it, one at a time, and only they ask.
func (k *bucketStorage) lastKnownVersion() stateAndJournalVersion { return k.claim.knownVersions[0] }

func (k *bucketStorage) commitVersion(to stateAndJournalVersion) error {
	k.updateSemaphore <- struct{}{}
	defer func() { <-k.updateSemaphore }()
	err := k.updateIfLeaseHeld(func(p statePointer, now time.Time) (statePointer, bool) {
		return p.commitVersion(k.claim, to, now.Add(leaseLength))
	})
	if err != nil {
		k.claim.knownVersions = append(k.claim.knownVersions, to)
		return err
	}
	k.claim.knownVersions = []stateAndJournalVersion{to}
	return nil
}

// newObjectName is one that no other object has. It tells when it was made, on B2's clock,
// and by which run.
func (k *bucketStorage) newObjectName(what string) string {
	service, _ := k.Remote.ServiceTime()
	k.objectsMade++
	return fmt.Sprintf("%s%s-%s-%04d.%s", k.Prefix, service.UTC().Format(objectTimeFormat), strings.ToLower(k.runID), k.objectsMade, what)
}

func (k *bucketStorage) uploadObject(name string, content []byte) (fileVersion, error) {
	if err := k.lostErrIfAny(); err != nil {
		return fileVersion{}, err
	}
	id, err := k.Remote.Upload(k.untilCloseCtx, k.bucketID, name, "application/json", content)
	k.writeCounter.bytes.Add(int64(len(content)))
	return fileVersion{ID: id, Name: name, Size: int64(len(content))}, k.withPurpose(err)
}

func (k *bucketStorage) stopHeartbeat() {
	k.cancel()
	<-k.heartbeatDone
}

// callInTurnIfBucketUpdate is api.Call, but an update of this bucket takes its turn with ours.
func (k *bucketStorage) callInTurnIfBucketUpdate(ctx context.Context, api wire.API, method string, in, out any) error {
	if method != "b2_update_bucket" {
		return api.Call(ctx, method, in, out)
	}
	encoded := compactJSON(in)
	body := map[string]json.RawMessage{}
	var want struct {
		BucketID     string
		IfRevisionIs int64
		BucketInfo   map[string]string
	}
	if err := errors.Join(json.Unmarshal(encoded, &body), json.Unmarshal(encoded, &want)); err != nil || want.BucketID != k.bucketID {
		return api.Call(ctx, method, in, out)
	}
	select {
	case k.updateSemaphore <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-k.updateSemaphore }()
	if k.lastView == nil {
		v, err := k.readBucket(ctx)
		if err != nil {
			return err
		}
		k.lastView, k.onlyOursSinceRevision = v, v.Revision
	}
	if want.IfRevisionIs >= k.onlyOursSinceRevision {
		body["ifRevisionIs"] = compactJSON(k.lastView.Revision)
	}
	if want.BucketInfo != nil {
		body["bucketInfo"] = compactJSON(k.withStateInfoPairs(want.BucketInfo))
	}
	var reply json.RawMessage
	err := api.Call(ctx, method, body, &reply)
	v := &bucketView{}
	if err == nil {
		err = json.Unmarshal(reply, v)
	}
	if err != nil {
		k.lastView = nil
		return err
	}
	k.lastView = v
	if raw, ok := out.(*json.RawMessage); ok {
		*raw = reply
		return nil
	}
	return json.Unmarshal(reply, out)
}

// withStateInfoPairs is info with the pairs of states as they are now.
func (k *bucketStorage) withStateInfoPairs(info map[string]string) map[string]string {
	isReserved := func(key, _ string) bool { return strings.HasPrefix(key, wire.ReservedInfoPrefix) }
	maps.DeleteFunc(info, isReserved)
	for key, value := range k.lastView.Info {
		if isReserved(key, value) {
			info[key] = value
		}
	}
	return info
}
