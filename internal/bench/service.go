package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"b2form/internal/emulator"
)

// A service is an emulated account on a port of this machine. It adds latency
// and counts what it is asked.
type service struct {
	*emulator.Server
	url  string
	http *http.Server

	mu           sync.Mutex
	latency      time.Duration
	requests     int
	longestChain int // longest chain of requests that ends with an answered one
}

// serve opens an empty account that may hold so many buckets. The caller closes
// it.
func serve(maxBuckets int) (*service, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &service{url: "http://" + l.Addr().String()}
	s.Server, err = emulator.Open(emulator.Options{Now: time.Now, Seed: 1, URL: s.url, MaxBuckets: maxBuckets})
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	s.http = &http.Server{Handler: s}
	go func() { _ = s.http.Serve(l) }() // ends with ErrServerClosed
	return s, nil
}

func (s *service) close() error {
	_ = s.http.Close() // nobody is left to listen to
	return s.Server.Close()
}

// ServeHTTP answers after the latency.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests++
	place := s.longestChain + 1
	latency := s.latency
	s.mu.Unlock()
	defer func() { // also when the emulator breaks the connection
		s.mu.Lock()
		defer s.mu.Unlock()
		s.longestChain = max(s.longestChain, place)
	}()
	if latency > 0 {
		select {
		case <-time.After(latency):
		case <-r.Context().Done():
			return
		}
	}
	s.Server.ServeHTTP(w, r)
}

// resetCountsAndLatency begins to count anew.
func (s *service) resetCountsAndLatency(latency time.Duration) {
	s.ResetCalls()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency, s.requests, s.longestChain = latency, 0, 0
}

// counts gives the requests since start, and how many of them had to follow one
// another: the longest chain in which each arrived after the one before had been
// answered. Without latency, requests sent at once may look like a chain.
func (s *service) counts() (requests, roundTrips int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests, s.longestChain
}

// directTransport is the way to the service without the network.
type directTransport struct{ *service }

// RoundTrip is the service's answer.
func (d directTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	d.service.ServeHTTP(w, r)
	return w.Result(), nil
}
