package emulator

import (
	"slices"
	"sync"
)

// A Fault makes requests fail on purpose.
type Fault struct {
	// Method picks requests by the name of their call; "" picks all.
	Method string
	// Nth is which of the requests picked fails, counting from 1 at the time
	// Fail is called; 0 is 1.
	Nth int
	// Count is how many fail in a row; 0 is 1.
	Count int
	// After lets the request take effect; only its reply is replaced.
	After bool
	// Status, Code, Message and RetryAfter (in seconds) are the reply. With
	// Status 0 the connection breaks without one.
	Status     int
	Code       string
	Message    string
	RetryAfter int
}

// reply gives the fault's answer, or nil for none at all.
func (f Fault) reply() *reply {
	if f.Status == 0 {
		return nil
	}
	return refusedReply(&refusal{status: f.Status, code: f.Code, message: f.Message, retryAfter: f.RetryAfter})
}

type faults struct {
	mu      sync.Mutex
	queue   []Fault
	chances int
}

// Fail queues a fault. Faults are independent: each counts the requests it
// picks, and where several hit one request, the one queued first answers.
func (s *Server) Fail(f Fault) {
	f.Nth = max(f.Nth, 1)
	f.Count = max(f.Count, 1)
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.queue = append(s.faults.queue, f)
}

// next counts a request and gives the fault that hits it.
func (f *faults) next(method string) (hit Fault, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.queue {
		q := &f.queue[i]
		if q.Method != "" && q.Method != method {
			continue
		}
		if q.Nth > 1 {
			q.Nth--
			continue
		}
		q.Count--
		if !ok {
			hit, ok = *q, true
		}
	}
	f.queue = slices.DeleteFunc(f.queue, func(q Fault) bool { return q.Count == 0 })
	return hit, ok
}

// sometimes is true for every third request that asks for random trouble.
func (f *faults) sometimes() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.chances++
	return f.chances%3 == 0
}
