package b2_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2form/internal/b2"
)

// A line is a service without a network: every request takes the latency, and
// the ones that refuse picks are answered 429.
type line struct {
	latency time.Duration
	refuse  func(n int) bool // n counts the requests to list keys from 1

	mu         sync.Mutex
	n          int
	busy, most int
	sent       []time.Time
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	reply := `{"accountId": "5f0571db506a", "authorizationToken": "t", "apiInfo": {"storageApi": {"apiUrl": "https://api004.example"}}}`
	status := 200
	if strings.HasSuffix(r.URL.Path, "/b2_list_keys") {
		reply = "{}"
		l.mu.Lock()
		l.n++
		l.busy++
		l.most = max(l.most, l.busy)
		l.sent = append(l.sent, time.Now())
		if l.refuse != nil && l.refuse(l.n) {
			status, reply = 429, `{"code": "too_many_requests"}`
		}
		l.mu.Unlock()
		defer func() { l.mu.Lock(); l.busy--; l.mu.Unlock() }()
	}
	select {
	case <-time.After(l.latency):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	w := httptest.NewRecorder()
	w.WriteHeader(status)
	_, _ = io.WriteString(w, reply)
	return w.Result(), nil
}

// wave sends n requests at once and waits for all.
func wave(t *testing.T, client *b2.Client, n int) {
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if err := client.Call(t.Context(), "b2_list_keys", nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func through(t *testing.T, l *line, parallelism int) *b2.Client {
	client, err := b2.New(b2.Options{KeyID: keyID, Key: key, Transport: l, Parallelism: parallelism, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestParallelismAndRoundTrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &line{latency: 50 * time.Millisecond}
		client := through(t, l, 10)
		start := time.Now()
		wave(t, client, 100)
		if took := time.Since(start); took != 11*l.latency {
			t.Errorf("took %v, want 11 round trips: one to authorize, ten of ten", took)
		}
		if l.most != 10 {
			t.Errorf("%d at once, want 10", l.most)
		}
		if got := client.Stats().SequentialRoundTrips; got != 11 {
			t.Errorf("counted %d round trips, want 11", got)
		}
	})
}

// other is a client for other credentials, which has authorized.
func other(t *testing.T, client *b2.Client) *b2.Client {
	t.Helper()
	o, err := client.WithCredentials(keyID, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Authorize(t.Context()); err != nil {
		t.Fatal(err)
	}
	return o
}

// Clients for other credentials take no places from the first one, but from each
// other, and what B2 refuses to one slows down all.
func TestOtherCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &line{latency: 50 * time.Millisecond}
		client := through(t, l, 10)
		clients := []*b2.Client{client, other(t, client), other(t, client)}
		wave(t, client, 1)
		start := time.Now()
		var all sync.WaitGroup
		for i, c := range clients {
			all.Go(func() { wave(t, c, []int{50, 25, 25}[i]) })
		}
		all.Wait()
		if took := time.Since(start); took != 5*l.latency || l.most != 20 {
			t.Errorf("took %v with %d at once, want five round trips of ten and ten", took, l.most)
		}
		l.n, l.refuse, start = 0, func(n int) bool { return n == 1 }, time.Now()
		wave(t, clients[2], 1)
		if took := time.Since(start); took < 5*time.Second {
			t.Fatalf("took %v, want a pause of 5s", took)
		}
		l.most = 0
		wave(t, client, 10)
		if l.most != 5 {
			t.Errorf("after a refusal to other credentials %d at once, want 5", l.most)
		}
	})
}

func TestOneRefusalSlowsEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &line{latency: 50 * time.Millisecond, refuse: func(n int) bool { return n <= 8 }}
		client := through(t, l, 8)
		if _, err := client.Authorize(t.Context()); err != nil {
			t.Fatal(err)
		}
		wave(t, client, 20) // the first eight are refused together
		if pause := l.sent[8].Sub(l.sent[7]); pause < 5*time.Second {
			t.Errorf("the next request went %v after the refused ones, want a pause of 5s", pause)
		}
		if got := client.Stats().Retries; got != 8 {
			t.Errorf("%d retries, want 8", got)
		}
		most := 0 // refused together counts once, so half of eight may go on
		for i, at := range l.sent[8:] {
			if at.Equal(l.sent[8]) {
				most = i + 1
			}
		}
		if most != 4 {
			t.Errorf("%d requests followed the pause at once, want 4", most)
		}
		l.most = 0
		wave(t, client, 200)
		if l.most != 8 {
			t.Errorf("after many successes %d at once, want 8 again", l.most)
		}
	})
}

func TestRefusalsNeverStopEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &line{latency: time.Millisecond, refuse: func(n int) bool { return n <= 10 }}
		wave(t, through(t, l, 4), 12)
		if l.n != 22 {
			t.Errorf("%d requests, want 12 and the 10 refused", l.n)
		}
	})
}

func TestCancelledWhileWaiting(t *testing.T) {
	for name, l := range map[string]*line{
		"in the queue": {latency: time.Minute},
		"in the pause": {refuse: func(n int) bool { return n == 2 }},
		"on the way":   {latency: time.Hour}, // longer than an attempt may take
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := through(t, l, 1)
				latency := l.latency
				l.latency = 0
				wave(t, client, 1)
				l.latency = latency
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				var all sync.WaitGroup
				for range 2 {
					all.Go(func() {
						err := client.Call(ctx, "b2_list_keys", nil, nil)
						if kindError(t, err); !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("got %v", err)
						}
					})
				}
				start := time.Now()
				all.Wait()
				if took := time.Since(start); took != time.Second && latency > 0 {
					t.Errorf("returned after %v, want at the deadline", took)
				}
				l.latency = 0
				wave(t, client, 3) // every place was given back
			})
		})
	}
}

func TestASilentServiceIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &line{}
		client := through(t, l, 1)
		wave(t, client, 1)
		l.latency = time.Hour
		start := time.Now()
		e := kindError(t, client.Call(t.Context(), "b2_list_keys", nil, nil))
		if took := time.Since(start); l.n != 9 || took < 40*time.Minute || took > 41*time.Minute {
			t.Errorf("gave up after %d requests and %v: %v", l.n-1, took, e)
		}
		summary, _ := b2.Explain(e)
		wantContains(t, "summary", summary, "no answer came in time")
	})
}
