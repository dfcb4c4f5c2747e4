package emulator

import (
	"sync"
	"time"
)

// classCUsage counts class C transactions, for accounts with a daily cap. The
// service's day begins at midnight UTC. Counts end with the process.
type classCUsage struct {
	mu                 sync.Mutex
	day                time.Time
	classCTransactions int
}

func (u *classCUsage) checkCap(c *call, m method) error {
	limit := c.server.options.Switches.MaxDailyClassC
	if limit == 0 || m.class != 'C' {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.resetOnNewDay(c.now)
	if u.classCTransactions >= limit {
		return refuse(403, "transaction_cap_exceeded", "Transaction cap exceeded.")
	}
	return nil
}

func (u *classCUsage) add(c *call, m method) {
	if m.class != 'C' {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.resetOnNewDay(c.now)
	u.classCTransactions += max(c.classCTransactionsIfNotOne, 1)
}

func (u *classCUsage) resetOnNewDay(now time.Time) {
	if day := now.UTC().Truncate(24 * time.Hour); !day.Equal(u.day) {
		u.day, u.classCTransactions = day, 0
	}
}

func (u *classCUsage) reset() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.classCTransactions = 0
}

// transactionsForItems is what a listing costs: one transaction per 1000 items begun.
func transactionsForItems(items int) int { return (items + 999) / 1000 }
