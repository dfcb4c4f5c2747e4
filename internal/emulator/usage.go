package emulator

import (
	"sync"
	"time"
)

// usage counts class C transactions, for accounts with a daily cap. The
// service's day begins at midnight UTC. Counts end with the process.
type usage struct {
	mu    sync.Mutex
	day   time.Time
	spent int
}

func (u *usage) checkCap(c *call, m method) error {
	limit := c.server.options.Switches.MaxDailyClassC
	if limit == 0 || m.class != 'C' {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.resetOnNewDay(c.now)
	if u.spent >= limit {
		return refuse(403, "transaction_cap_exceeded", "Transaction cap exceeded.")
	}
	return nil
}

func (u *usage) add(c *call, m method) {
	if m.class != 'C' {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.resetOnNewDay(c.now)
	u.spent += max(c.classCTransactions, 1)
}

func (u *usage) resetOnNewDay(now time.Time) {
	if day := now.UTC().Truncate(24 * time.Hour); !day.Equal(u.day) {
		u.day, u.spent = day, 0
	}
}

func (u *usage) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.spent = 0
}

// transactionsForItems is what a listing costs: one transaction per 1000 items begun.
func transactionsForItems(items int) int { return (items + 999) / 1000 }
