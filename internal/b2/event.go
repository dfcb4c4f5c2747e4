package b2

import (
	"maps"
	"sync"
	"time"
)

// An AttemptEvent reports one attempt at one request. It never carries a body, a
// token or a key.
type AttemptEvent struct {
	Method          string        // "b2_list_buckets"
	AttemptNumber   int           // 1 for the first
	Status          int           // HTTP status; 0: no reply was read
	Code            string        // B2's error code, "" on success
	NoReplyReason   string        // what broke, where Status is 0
	Took            time.Duration // from sending to the end of the reply
	WaitBeforeRetry time.Duration // the pause before the next attempt; 0: there is none
}

// Stats count what a client has sent so far.
type Stats struct {
	RequestsByMethod map[string]int // by method, repeats included
	Retries          int            // requests that repeated an earlier one
	// SequentialRoundTrips is the longest chain of requests of which each began after the
	// one before had ended: the number of network latencies that the work
	// could not have done without.
	SequentialRoundTrips int
}

// Stats returns a copy of the counts.
func (c *Client) Stats() Stats {
	c.counters.mu.Lock()
	defer c.counters.mu.Unlock()
	return Stats{
		RequestsByMethod:     maps.Clone(c.counters.requestsByMethod),
		Retries:              c.counters.retries,
		SequentialRoundTrips: c.counters.sequentialRoundTrips,
	}
}

type counters struct {
	mu                   sync.Mutex
	requestsByMethod     map[string]int
	retries              int
	sequentialRoundTrips int // longest chain that ends with a finished request
}

// beginRequest counts a request and returns its place in the longest chain before it.
func (n *counters) beginRequest(method string, attempt int) (chainLength int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.requestsByMethod == nil {
		n.requestsByMethod = map[string]int{}
	}
	n.requestsByMethod[method]++
	if attempt > 1 {
		n.retries++
	}
	return n.sequentialRoundTrips + 1
}

func (n *counters) endRequest(chainLength int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sequentialRoundTrips = max(n.sequentialRoundTrips, chainLength)
}
