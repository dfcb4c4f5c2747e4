package emulator

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// A Fault makes requests fail on purpose. Its zero value loses the next
// request: the connection breaks before anything happened.
type Fault struct {
	// Method picks requests by the name of their call; "" picks all.
	Method string
	// Nth is which of the requests picked fails, counting from 1 at the time
	// Fail is called; 0 is 1.
	Nth int
	// Count is how many fail in a row; 0 is 1, and less is all from then on.
	Count int
	// TakesEffect lets the request take effect; only its reply is replaced.
	TakesEffect bool `json:"after"`
	// LateByRequests lets the request take effect once so many further requests have
	// been answered: the reply is lost or replaced now, and what was asked for
	// appears when nobody expects it any more.
	LateByRequests int `json:"late"`
	// Delay is how long the request waits before anything else happens.
	Delay time.Duration
	// Hang lets the reply never come: the connection stays open until the
	// client gives up, at most ten minutes, and then breaks.
	Hang bool
	// DelayOnly lets the request and its reply through unharmed, after Delay.
	DelayOnly bool `json:"pass"`
	// Status, Code, Message and RetryAfter (in seconds) are the reply. With
	// Status 0 the connection breaks without one.
	Status     int
	Code       string
	Message    string
	RetryAfter int
}

// maxHang is how long a reply that never comes keeps a connection.
const maxHang = 10 * time.Minute

// replyOrNil gives the fault's answer, or nil for none at all.
func (f Fault) replyOrNil(ctx context.Context) *reply {
	if f.Hang {
		wait(ctx, maxHang)
		return nil
	}
	if f.Status == 0 {
		return nil
	}
	return refusedReply(&refusal{status: f.Status, code: f.Code, message: f.Message, retryAfter: f.RetryAfter})
}

type faults struct {
	mu                   sync.Mutex
	queue                []Fault
	lateEffects          []*lateCall
	testModeRequestCount int
}

// QueueFault queues a fault. Faults are independent: each counts the requests it
// picks, and where several hit one request, the one queued first answers.
func (s *Server) QueueFault(f Fault) {
	f.Nth = max(f.Nth, 1)
	if f.Count == 0 {
		f.Count = 1
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.queue = append(s.faults.queue, f)
}

// Faults gives the faults that are still to come, in the order of the queue.
// Nth and Count are what is left of them.
func (s *Server) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return slices.Clone(s.faults.queue)
}

// ClearFaults forgets the faults that are still to come. What was to take
// effect late never does.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.queue, s.faults.lateEffects = nil, nil
}

// countRequest counts a request and gives the fault that hits it.
func (f *faults) countRequest(method string) (hit Fault, ok bool) {
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
		if q.Count > 0 {
			q.Count--
		}
		if !ok {
			hit, ok = *q, true
		}
	}
	f.queue = slices.DeleteFunc(f.queue, func(q Fault) bool { return q.Count == 0 })
	return hit, ok
}

// A lateCall is a request whose effect is still to come.
type lateCall struct {
	takeEffect   func() // effect
	requestsLeft int    // requests to be answered before
}

// detachRequest gives a copy of a request that needs its connection no more: the
// content is read now.
func detachRequest(r *http.Request) (*http.Request, error) {
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(context.WithoutCancel(r.Context()))
	r.Body = io.NopCloser(bytes.NewReader(content))
	return r, nil
}

// postpone lets a request take effect when so many others have been answered.
func (f *faults) postpone(afterRequests int, take func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lateEffects = append(f.lateEffects, &lateCall{takeEffect: take, requestsLeft: afterRequests})
}

// postpone keeps a native request until so many others have been answered.
func (s *Server) postpone(c *call, body []byte, afterRequests int) error {
	r, err := detachRequest(c.http)
	if err != nil {
		return err
	}
	late := &call{server: s, http: r, version: c.version, method: c.method, pathAfterMethod: c.pathAfterMethod}
	s.faults.postpone(afterRequests, func() {
		late.now = s.now()
		if out := s.answer(late, body); out.content != nil {
			_ = out.content.Close() // nobody reads it
		}
	})
	return nil
}

// countAnsweredRequest counts an answered request and gives those that take effect after it, in
// the order in which they came.
func (f *faults) countAnsweredRequest() (due []*lateCall) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lateEffects = slices.DeleteFunc(f.lateEffects, func(l *lateCall) bool {
		if l.requestsLeft--; l.requestsLeft > 0 {
			return false
		}
		due = append(due, l)
		return true
	})
	return due
}

// runDueCalls lets what is late take effect. Nobody is there to read the replies.
func (s *Server) runDueCalls() {
	for _, late := range s.faults.countAnsweredRequest() {
		late.takeEffect()
	}
}

// countTestModeRequest is true for every third request that asks for random trouble.
func (f *faults) countTestModeRequest() (fails bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.testModeRequestCount++
	return f.testModeRequestCount%3 == 0
}
