package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/pause"
	"b2form/internal/secret"
	"b2form/plan"
	"b2form/schema/kind"
)

// patience is how long to wait after each attempt to use a new key. B2 may take
// minutes until a key works everywhere ("Create and Manage App Keys").
func patience() []time.Duration {
	return []time.Duration{
		time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second, 30 * time.Second, 30 * time.Second,
	}
}

// confirm uses a new key once, after its delivery: it must be accepted, and be
// limited as planned. What is wrong becomes a warning. The key stays: its secret
// is delivered, and B2 may only be slow.
func (r *runner) confirm(ctx context.Context, c *plan.Change, id string, key secret.Value) {
	if r.Verify == nil || c.Kind.Granted == nil {
		return
	}
	r.waits <- c.Addr
	ctx, cancel := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-r.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	defer func() { cancel(); <-watched }()
	account, err := r.accepted(ctx, id, key)
	summary, why := "", ""
	switch {
	case err != nil:
		summary, why = "A new "+c.Kind.Name+" could not be tried", fmt.Sprintf("it could not be tried (%s)", err)
		if refused(err) {
			summary, why = "A new "+c.Kind.Name+" does not work yet", "B2 does not accept it yet, which can take some minutes"
		}
	default:
		differ := c.Kind.Granted(c.After, account)
		if len(differ) == 0 {
			return
		}
		summary = "A new " + c.Kind.Name + " is not limited as planned"
		why = "B2 accepts it, but says something else than planned of " + strings.Join(differ, ", ")
	}
	detail := fmt.Sprintf("%s %q (ID %s) was made, and its secret is delivered, but %s. It is kept; try it before you rely on it.", title(c.Kind.Name), c.Identity, id, why)
	if c.Action == plan.Replace || len(c.Leftovers) > 0 {
		detail += " What it replaces still works; the next apply deletes that."
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.warnings[c.Addr] = &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: summary, Detail: detail,
		Subject: r.resources[c.Addr].Block.Range.Ptr(), Extra: c.Addr}
}

// accepted asks until B2 accepts the key, patience ends, or something else than
// a refusal comes back.
func (r *runner) accepted(ctx context.Context, id string, key secret.Value) (*kind.Account, error) {
	for _, pause := range patience() {
		account, err := r.Verify(ctx, id, key)
		if err == nil || !refused(err) {
			return account, err
		}
		if r.wait(ctx, pause) != nil {
			return nil, err
		}
	}
	return r.Verify(ctx, id, key)
}

// refused reports whether B2 does not know the credentials.
func refused(err error) bool {
	var e *kind.Error
	return errors.As(err, &e) && e.Status == 401
}

func (r *runner) wait(ctx context.Context, d time.Duration) error {
	if r.Wait != nil {
		return r.Wait(ctx, d)
	}
	return pause.For(ctx, d)
}

// unconfirmed reports whether a change made a key that B2 did not confirm, so
// that the keys before it should go on working.
func (r *runner) unconfirmed(c *plan.Change) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.warnings[c.Addr] != nil
}
