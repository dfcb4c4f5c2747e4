package b2

import (
	"context"
	"slices"
	"sync"
	"time"
)

// An adaptiveLimit is how many requests may be under way at once, and when. B2 publishes
// no rate limit for the calls that matter here, so it is found out: every success
// raises the number a little (by one per round), a 429 or 503 halves it, and the
// pause that goes with the refusal holds for everybody.
type adaptiveLimit struct {
	max   float64
	now   func() time.Time
	sleep func(context.Context, time.Duration) error

	mu           sync.Mutex // guards all below, and the limiters at this pace
	limit        float64
	timesLowered int       // how often the limit was lowered
	pausedUntil  time.Time // nothing is sent before
}

// A limiter lets as many requests go at once as its pace allows. Limiters at one
// pace do not take places from each other.
type limiter struct {
	*adaptiveLimit
	inFlight int
	queue    []chan struct{} // closed when its owner has a place
}

func newLimiter(maxInFlight int, now func() time.Time, sleep func(context.Context, time.Duration) error) *limiter {
	return &limiter{adaptiveLimit: &adaptiveLimit{max: float64(maxInFlight), limit: float64(maxInFlight), now: now, sleep: sleep}}
}

// acquireSlot waits for a place and for the end of a pause. Who has entered calls
// exactly one of releaseSucceeded, releaseThrottled and releaseSlot; releaseThrottled wants timesLowered.
func (l *limiter) acquireSlot(ctx context.Context) (timesLowered int, err error) {
	if err := l.waitForSlot(ctx); err != nil {
		return 0, err
	}
	var waited time.Time
	for {
		l.mu.Lock()
		resume, epoch := l.pausedUntil, l.timesLowered
		l.mu.Unlock()
		// One pause is waited for once, whatever the clock says afterwards.
		pause := resume.Sub(l.now())
		if pause <= 0 || !resume.After(waited) {
			return epoch, nil
		}
		if err := l.sleep(ctx, pause); err != nil {
			l.releaseSlot()
			return 0, err
		}
		waited = resume
	}
}

func (l *limiter) waitForSlot(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	turn := make(chan struct{})
	l.queue = append(l.queue, turn)
	l.admitWaiting()
	l.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.queue, turn); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
	} else { // the place came at the same moment as the cancellation
		l.inFlight--
		l.admitWaiting()
	}
	return ctx.Err()
}

// admitWaiting gives free places to those who wait, in order. The caller holds mu.
func (l *limiter) admitWaiting() {
	for len(l.queue) > 0 && l.inFlight < int(l.limit) {
		l.inFlight++
		close(l.queue[0])
		l.queue = l.queue[1:]
	}
}

func (l *limiter) releaseSlot() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	l.admitWaiting()
}

func (l *limiter) releaseSucceeded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit = min(l.max, l.limit+1/l.limit)
	l.inFlight--
	l.admitWaiting()
}

// releaseThrottled lowers the limit and stops everybody for the pause. Requests that
// were under way together are refused together: only the first of them counts.
func (l *limiter) releaseThrottled(timesLowered int, pause time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if timesLowered == l.timesLowered {
		l.limit = max(1, l.limit/2)
		l.timesLowered++
	}
	if resume := l.now().Add(pause); resume.After(l.pausedUntil) {
		l.pausedUntil = resume
	}
	l.inFlight--
	l.admitWaiting()
}
