package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/pause"
	"b2form/internal/words"
	"b2form/schema/wire"
)

// NewKeyDelays is how long to wait after each attempt to use a new key. B2 may take
// minutes until a key works everywhere ("Create and Manage App Keys").
func NewKeyDelays() []time.Duration {
	return []time.Duration{
		time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second, 30 * time.Second,
		30 * time.Second,
	}
}

// verifyStep uses a new key once, after its delivery: it must be accepted, and be
// limited as planned. What is wrong becomes a warning, and what would be deleted in
// the key's favour is held. The key stays: its secret is delivered, and B2 may only
// be slow.
func (r *runner) verifyStep(ctx context.Context, t *changeTask) stepStatus {
	if r.VerifyKey == nil {
		return done
	}
	what, why := r.findKeyProblem(ctx, t)
	if why == "" {
		return done
	}
	w := r.unverifiedWarning(t, what, why)
	r.liveMu.Lock()
	defer r.liveMu.Unlock()
	r.unverifiedWarnings[t.Addr] = w
	return held
}

// unverifiedWarning is the warning that a new key is not known to work.
func (r *runner) unverifiedWarning(t *changeTask, summaryEnd, reason string) *hcl.Diagnostic {
	detail := fmt.Sprintf("%s %q (ID %s) was made, and its secret is delivered, but %s. It is kept; try it before you rely on it.",
		words.CapitalizeUnlessName(t.Kind.Name), t.Identity, t.objectID, reason)
	if len(t.Deletes()) > 0 {
		detail += " What it replaces still works; the next apply deletes that."
	}
	return &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "A new " + t.Kind.Name + " " + summaryEnd, Detail: detail,
		Subject: r.resources[t.Addr].Block.HeaderRange.Ptr(), Extra: t.Addr}
}

// findKeyProblem says what is wrong with a new key; why is "" where nothing is.
func (r *runner) findKeyProblem(ctx context.Context, t *changeTask) (summaryEnd, reason string) {
	ctx, cancel := r.untilInterrupted(ctx)
	defer cancel()
	account, err := r.verifyUntilAccepted(ctx, t)
	switch {
	case err == nil:
		differ := t.Kind.Credential.DiffGrant(t.After, account)
		if len(differ) == 0 {
			return "", ""
		}
		return "is not limited as planned",
			"B2 accepts it, but says something else than planned of " + strings.Join(differ, ", ")
	case isUnauthorized(err):
		return "does not work yet", "B2 does not accept it yet, which can take some minutes"
	case ctx.Err() != nil:
		return "was not tried", "the run was interrupted before it was tried"
	}
	return "could not be tried", fmt.Sprintf("it could not be tried (%s)", err)
}

// untilInterrupted is a context that ends when the run is interrupted.
func (r *runner) untilInterrupted(ctx context.Context) (stoppable context.Context, cancel func()) {
	stoppable, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-r.interrupted:
			stop()
		case <-stoppable.Done():
		}
	}()
	return stoppable, func() { stop(); <-watched }
}

// verifyUntilAccepted asks until B2 accepts the key, patience ends, or something else than
// a refusal comes back.
func (r *runner) verifyUntilAccepted(ctx context.Context, t *changeTask) (account *wire.Account, err error) {
	e := Event{Addr: t.Addr, Kind: t.Kind, Action: t.Action, RemoteID: t.objectID}
	account, err = r.VerifyKey(ctx, t.objectID, t.newKey.Key)
	if !isUnauthorized(err) {
		return account, err
	}
	start := r.Now()
	e.Stage = KeyNotYetAccepted
	r.emit(e)
	for _, pause := range NewKeyDelays() {
		if r.sleep(ctx, pause) != nil {
			break
		}
		if account, err = r.VerifyKey(ctx, t.objectID, t.newKey.Key); !isUnauthorized(err) {
			break
		}
	}
	e.Stage, e.Elapsed, e.Err = VerifyEnded, r.Now().Sub(start), err
	r.emit(e)
	return account, err
}

// isUnauthorized reports whether B2 does not know the credentials.
func isUnauthorized(err error) bool {
	var e *wire.Error
	return errors.As(err, &e) && e.Status == 401
}

func (r *runner) sleep(ctx context.Context, d time.Duration) error {
	if r.Sleep != nil {
		return r.Sleep(ctx, d)
	}
	return pause.For(ctx, d)
}
