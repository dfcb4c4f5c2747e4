// Package pause waits by the real clock.
package pause

import (
	"context"
	"time"
)

// For returns after d, or earlier with ctx's error.
func For(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
