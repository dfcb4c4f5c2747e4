package state

import (
	"runtime"
	"sync"
)

// A groupCommit is group commit: while one batch of lines is being written,
// everything that arrives gathers in the next, and its first caller writes it
// for all. So n callers cost far fewer than n writes, without a goroutine and
// without waiting for company.
type groupCommit struct {
	write func(lines []byte) error // returns when the lines are durable; one call at a time

	mu        sync.Mutex
	nextBatch *batch // gathering; nil: nobody waits

	writeSemaphore chan struct{} // held while writing
}

type batch struct {
	lines []byte
	done  chan struct{}
	err   error
}

func newGroupCommit(write func([]byte) error) *groupCommit {
	return &groupCommit{write: write, writeSemaphore: make(chan struct{}, 1)}
}

// enqueue adds lines to the batch that is gathering. The order of calls is the
// order in the journal. leads says that the caller must commit the batch; all
// others wait for it.
func (g *groupCommit) enqueue(lines []byte) (b *batch, leads bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.nextBatch == nil {
		g.nextBatch, leads = &batch{done: make(chan struct{})}, true
	}
	g.nextBatch.lines = append(g.nextBatch.lines, lines...)
	return g.nextBatch, leads
}

// commit returns when the batch is durable, or failed.
func (g *groupCommit) commit(b *batch, leads bool) error {
	if leads {
		g.writeSemaphore <- struct{}{}
		// Whoever is about to enqueue, but was not given a processor, comes along:
		// a disk may be faster than the scheduler.
		runtime.Gosched()
		g.mu.Lock()
		g.nextBatch = nil
		g.mu.Unlock()
		b.err = g.write(b.lines)
		<-g.writeSemaphore
		close(b.done)
	}
	<-b.done
	return b.err
}
