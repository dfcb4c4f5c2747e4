package state

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"b2form/internal/visible"
	"b2form/schema/wire"
)

// A Remote is what the shared state needs of B2.
type Remote interface {
	wire.API
	// Upload stores a new version of a file and returns its ID. It may be sent
	// twice.
	Upload(ctx context.Context, bucketID, name, contentType string, content []byte) (fileID string, err error)
	// Download returns the content of a file version, also of one that is hidden; no more
	// than size bytes where that is not 0.
	Download(ctx context.Context, fileID string, size int64) ([]byte, error)
	// ServiceTime says that B2's clock stood at service, to the second below, when it
	// answered a request that was sent when ours stood at sent. It knows the
	// answers to the calls that have returned.
	ServiceTime() (service, sent time.Time)
}

// BucketBackend is the Backend that keeps states in a bucket, for runs on several
// machines. Each write is a new object under Prefix, and an info pair of the
// bucket says which of them count and who may write; it is moved by
// b2_update_bucket with ifRevisionIs ("b2_update_bucket"), so a run that has
// lost the lock cannot change what counts. Reading takes listBuckets and
// readFiles on the bucket, writing also writeBuckets and writeFiles.
//
// Errors are *Error where they are about the state, and otherwise the Remote's.
type BucketBackend struct {
	Remote     Remote
	BucketName string // the bucket's name
	Prefix     string // what the names of objects begin with: "b2form/"
}

// String is what messages call the state.
func (b BucketBackend) String() string { return "b2://" + b.BucketName + "/" + b.Prefix }

// bucketInfoKey is the key of the state's info pair: several states may share a bucket,
// and keys have at most 50 bytes.
func (b BucketBackend) bucketInfoKey() string {
	sum := sha256.Sum256([]byte(b.Prefix))
	return wire.ReservedInfoPrefix + hex.EncodeToString(sum[:8])
}

// A bucketView is the bucket at one revision.
type bucketView struct {
	ID             string            `json:"bucketId"`
	Revision       int64             `json:"revision"`
	Info           map[string]string `json:"bucketInfo"`
	LifecycleRules []struct {
		Prefix string `json:"fileNamePrefix"`
		Hides  *int   `json:"daysFromUploadingToHiding"`
	} `json:"lifecycleRules"`
}

// hasHidingRule reports whether a lifecycle rule would in time remove a state that does
// not change ("Lifecycle Rules").
func (v *bucketView) hasHidingRule(prefix string) bool {
	for _, r := range v.LifecycleRules {
		if r.Hides != nil && (strings.HasPrefix(prefix, r.Prefix) || strings.HasPrefix(r.Prefix, prefix)) {
			return true
		}
	}
	return false
}

func (b BucketBackend) readBucket(ctx context.Context) (*bucketView, error) {
	var out struct{ Buckets []*bucketView }
	err := b.Remote.Call(ctx, "b2_list_buckets", map[string]any{"bucketName": b.BucketName, "bucketTypes": []string{"all"}}, &out)
	switch {
	case err != nil:
		return nil, b.withPurpose(err)
	case out.Buckets == nil || slices.Contains(out.Buckets, nil):
		return nil, wire.MisshapenReply("b2_list_buckets")
	case len(out.Buckets) == 0:
		return nil, newError(b.String(), "The bucket of the state does not exist", "There is no bucket "+b.BucketName+
			" in this account, so there is nowhere to keep the state. Make it with `b2form "+
			"state init`, or correct the backend block.")
	}
	return out.Buckets[0], nil
}

// Read implements [Backend].
func (b BucketBackend) Read(ctx context.Context) (*State, error) {
	var before stateAndJournalVersion
	for first := true; ; first = false {
		v, err := b.readBucket(ctx)
		if err != nil {
			return nil, err
		}
		p, err := b.pointerIn(v)
		if err != nil {
			return nil, err
		}
		if err := b.checkPointerNotLost(ctx, v); err != nil {
			return nil, err
		}
		base, c, _, err := b.loadVersion(ctx, p.stateAndJournalVersion)
		// A version that was superseded meanwhile may be gone.
		if err != nil && (first || p.stateAndJournalVersion != before) && ctx.Err() == nil {
			before = p.stateAndJournalVersion
			continue
		}
		if err != nil {
			return nil, err
		}
		base.HeldBy = b.holderIn(p)
		return c.applyTo(base), nil
	}
}

// checkPointerNotLost refuses a bucket without a pointer that has files of the state: something else has replaced the
// bucket's info, and what the state owns would count as nobody's. What was superseded, or given up with the state, is
// hidden and not listed, but for one file without anything where the run that gave it up was cut off. Credentials that may
// not list files learn nothing.
func (b BucketBackend) checkPointerNotLost(ctx context.Context, v *bucketView) error {
	if v.Info[b.bucketInfoKey()] != "" {
		return nil
	}
	const method = "b2_list_file_names"
	var out struct {
		Files []struct {
			FileName      string
			ContentLength int64
		}
	}
	oneTransaction := map[string]any{"bucketId": v.ID, "prefix": b.Prefix, "delimiter": "/", "maxFileCount": 1000}
	err := b.Remote.Call(ctx, method, oneTransaction, &out)
	var refused *wire.Error
	switch {
	case errors.As(err, &refused) && (refused.Status == http.StatusUnauthorized || refused.Status == http.StatusForbidden):
		return nil
	case err != nil:
		return err
	case out.Files == nil:
		return wire.MisshapenReply(method)
	}
	newest, sizes := "", []int64{}
	for _, f := range out.Files {
		if ok, _ := path.Match("????????t??????z-*-*.state", strings.TrimPrefix(f.FileName, b.Prefix)); ok {
			newest, sizes = max(newest, f.FileName), append(sizes, f.ContentLength)
		}
	}
	if newest == "" || len(sizes) == 1 && sizes[0] == int64(len(emptyStateFile())) {
		return nil
	}
	// Another run may have begun the state since v was looked at.
	if now, err := b.readBucket(ctx); err != nil || now.Info[b.bucketInfoKey()] != "" {
		return err
	}
	return newError(b.String(), "The pointer to the state is gone",
		fmt.Sprintf("The bucket %s has files of the state %s, but its info lacks the pair %q, which says which of them counts. "+
			"Another tool, or somebody in the web console, has replaced the bucket's info. The newest of the files is %s: download it, "+
			"and store it with `b2form state push FILE`. If the state was given up, delete the files there that end with .state; b2form "+
			"then begins a new one.", b.BucketName, b, b.bucketInfoKey(), visible.EscapeTruncated(newest, maxQuoted)))
}

// emptyStateFile is the file of a state without anything. One with something is larger.
func emptyStateFile() []byte {
	var content bytes.Buffer
	_ = (&State{}).Encode(&content) // a buffer takes everything
	return content.Bytes()
}

// holderIn says who holds the lock by what the pointer says now; nil: nobody.
func (b BucketBackend) holderIn(p statePointer) *LockedError {
	now, _ := b.Remote.ServiceTime()
	if held := p.leaseOfOther("", now); held != nil {
		return held.asLockedError(b.String())
	}
	return nil
}

// loadVersion reads a version: the state, what its journal changes, and the journal's
// parts.
func (b BucketBackend) loadVersion(ctx context.Context, v stateAndJournalVersion) (base *State, c changes, journalParts []fileVersion,
	err error) {
	base = &State{}
	if v.State != (fileVersion{}) {
		data, err := b.download(ctx, v.State)
		if err != nil {
			return nil, changes{}, nil, err
		}
		if base, err = Parse(b.BucketName+"/"+v.State.Name, data); err != nil {
			return nil, changes{}, nil, err
		}
	}
	var raw [][]byte
	for part := v.LastJournalPart; part != (fileVersion{}); {
		if len(raw) == maxParts {
			return nil, changes{}, nil, b.lostStateError("Journal of the state is damaged",
				fmt.Sprintf("has a journal of more than %d parts, which "+
					"no run writes", maxParts), nil)
		}
		data, err := b.download(ctx, part)
		if err != nil {
			return nil, changes{}, nil, err
		}
		raw = append(raw, data)
		journalParts = append(journalParts, part)
		if part, err = findPreviousJournalPart(b.BucketName+"/"+part.Name, data); err != nil {
			return nil, changes{}, nil, err
		}
	}
	slices.Reverse(raw)
	j, err := parseJournal(b.String(), bytes.Join(raw, nil), base)
	return base, j.changes, journalParts, err
}

func (b BucketBackend) download(ctx context.Context, o fileVersion) ([]byte, error) {
	data, err := b.Remote.Download(ctx, o.ID, o.Size)
	var refused *wire.Error
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusNotFound:
		return nil, b.lostStateError("The state is gone", fmt.Sprintf("says that the state is the file %q (%s), which does not exist "+
			"any more",
			o.Name,
			o.ID), err)
	case o.Size > 0 && (errors.Is(err, wire.ErrReplyTooLarge) || err == nil && int64(len(data)) != o.Size):
		return nil, b.lostStateError("The state is not what was stored", fmt.Sprintf("says that the state is the file %q (%s) of %d "+
			"bytes, and B2 answers with another number of them", o.Name, o.ID, o.Size), err)
	}
	return data, b.withPurpose(err)
}

// withPurpose has a refusal of B2 say that it is about the state, and not about what the configuration declares.
func (b BucketBackend) withPurpose(err error) error {
	e, ok := err.(*wire.Error)
	if !ok || e.Method == "b2_authorize_account" {
		return err
	}
	about := *e // others may have the same error
	about.Purpose = fmt.Sprintf("This is about the state, which is kept in the bucket %s (%s): reading it takes listBuckets and readFiles "+
		"there, and a run that may change something also writeBuckets, for the lock, and writeFiles.", b.BucketName, b)
	return &about
}

// lostStateError is the error about a state that cannot be had. says is what its pointer says, and
// what is wrong with that.
func (b BucketBackend) lostStateError(summary, says string, cause error) *Error {
	return &Error{
		Summary: summary,
		Detail: fmt.Sprintf("%s %s. Remove the pair %q from the bucket's info and run b2form again: it names the file of the state "+
			"that is left, or finds everything again by name and takes it back with one approval, or stores a copy that you have with "+
			"`b2form state push`.", b, says, b.bucketInfoKey()),
		Path:  b.String(),
		Cause: cause,
	}
}

// findPreviousJournalPart is the part of the journal that a part continues. A part is stored as a whole,
// so none of its lines can be half written.
func findPreviousJournalPart(name string, part []byte) (fileVersion, error) {
	var first *journalRecord
	number := 0
	for line := range bytes.Lines(part) {
		number++
		do, ok := verifyLine(line)
		if !ok {
			return fileVersion{}, damagedJournalError(name, number, "it does not have the checksum that it names")
		}
		if first == nil {
			r, err := decodeRecord(name, number, do)
			if err != nil {
				return fileVersion{}, err
			}
			first = r
		}
	}
	if first == nil || first.PreviousChunk == nil {
		return fileVersion{}, nil
	}
	return *first.PreviousChunk, nil
}

// Open implements [Backend]. A run that was killed holds the lock until its
// lease expires, which B2's clock decides: the clocks of machines need not
// agree.
func (b BucketBackend) Open(ctx context.Context, o Options) (*Store, error) {
	k := &bucketStorage{BucketBackend: b, lockStatus: lockStatus{now: o.Now}, lockOwner: truncatedASCII(o.LockOwner),
		operation: truncatedASCII(o.Operation), runID: rand.Text(), updateSemaphore: make(chan struct{}, 1), replacesLost: o.ReplacesLost}
	if !o.NoLock {
		k.claim.nonce = k.runID
	}
	if err := k.acquireLease(ctx, o); err != nil {
		return nil, err
	}
	k.startHeartbeat(context.WithoutCancel(ctx))
	base, c, parts, err := b.loadVersion(ctx, k.claim.knownVersions[0])
	if err != nil {
		k.releaseLease()
		return nil, err
	}
	base.HeldBy = k.heldByAtStart
	k.journalParts, k.baseState = parts, base
	s := newStore(b.String(), k, base, c)
	s.now = o.Now
	return s, nil
}

// truncatedASCII is what goes into an info pair of the bucket.
func truncatedASCII(s string) string {
	const most = 80
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), most)]
}

// LockHolder implements [Backend].
func (b BucketBackend) LockHolder(ctx context.Context) (*LockedError, error) {
	v, err := b.readBucket(ctx)
	if err != nil {
		return nil, err
	}
	p, err := b.pointerIn(v)
	if err != nil {
		return nil, err
	}
	return b.holderIn(p), nil
}

// BreakLock implements [Backend]. The run that held the lock notices before it
// sends anything further, or at the latest 20 seconds later.
func (b BucketBackend) BreakLock(ctx context.Context) (formerHolder *LockedError, _ error) {
	var broken *LockedError
	now := func() time.Time { _, sent := b.Remote.ServiceTime(); return sent } // breaking takes no time
	k := &bucketStorage{BucketBackend: b, lockStatus: lockStatus{now: now}}
	err := k.compareAndSwap(ctx, func(p statePointer, _ time.Time) (statePointer, error) {
		if p.Lease != nil {
			broken = p.Lease.asLockedError(b.String())
		}
		p.Lease = nil
		return p, nil
	})
	return broken, err
}

// CreateBucket makes the bucket: private, and with a lifecycle rule that deletes objects
// of the state keepDays after they were superseded. existed says that there is
// such a bucket already; it is left as it is.
func (b BucketBackend) CreateBucket(ctx context.Context, keepDays int) (existed bool, err error) {
	var out struct{ Buckets []json.RawMessage }
	query := map[string]any{"bucketName": b.BucketName, "bucketTypes": []string{"all"}}
	if err := b.Remote.Call(ctx, "b2_list_buckets", query, &out); err != nil {
		return false, err
	}
	if out.Buckets == nil {
		return false, wire.MisshapenReply("b2_list_buckets")
	}
	if len(out.Buckets) > 0 {
		return true, nil
	}
	return false, b.Remote.Call(ctx, "b2_create_bucket", map[string]any{
		"bucketName": b.BucketName, "bucketType": "allPrivate",
		"lifecycleRules": []map[string]any{{"fileNamePrefix": b.Prefix, "daysFromHidingToDeleting": keepDays}},
	}, nil)
}

// jitter is between half and one and a half of d, so that runs that met once do
// not meet again.
func jitter(d time.Duration) time.Duration {
	return d/2 + mathrand.N(d)
}
