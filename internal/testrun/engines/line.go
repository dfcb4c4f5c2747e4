package engines

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"path"
	"sync"
	"sync/atomic"
)

// A NetworkLine is what a machine reaches a service by. Before and After, which may be nil, are
// called for each request, and what they return cuts it there. nil is a line that holds.
type NetworkLine struct {
	BeforeRequest, AfterRequest func(what string) error
	StaysCut                    bool      // what is cut stays so
	SentCopy                    io.Writer // gets all that is sent; may be nil
}

var errCut = errors.New("the line is cut")

// RunBeforeRequest is called for a request that is about to be sent.
func (l *NetworkLine) RunBeforeRequest(requestName string) error {
	if l == nil || l.BeforeRequest == nil {
		return nil
	}
	return l.BeforeRequest(requestName)
}

// RunAfterRequest is called for a request that took effect.
func (l *NetworkLine) RunAfterRequest(requestName string) error {
	if l == nil || l.AfterRequest == nil {
		return nil
	}
	return l.AfterRequest(requestName)
}

// CutAt cuts the line at its k-th request, before or after that took effect: once, or from
// then on. reached says whether there was one.
func CutAt(k int, after, forGood bool) (l *NetworkLine, reached func() bool) {
	l = &NetworkLine{StaysCut: forGood}
	var mu sync.Mutex // a driver also sends beside what it was asked for
	n, isCut := 0, false
	reached = func() bool {
		mu.Lock()
		defer mu.Unlock()
		return isCut
	}
	cut := func(string) error {
		mu.Lock()
		defer mu.Unlock()
		if isCut && forGood {
			return errCut
		}
		if n++; n == k {
			isCut = true
			return errCut
		}
		return nil
	}
	switch {
	case after && forGood:
		l.BeforeRequest = func(string) error {
			if reached() {
				return errCut
			}
			return nil
		}
		l.AfterRequest = cut
	case after:
		l.AfterRequest = cut
	default:
		l.BeforeRequest = cut
	}
	return l, reached
}

// A cuttableTransport carries requests over a line.
type cuttableTransport struct{ *NetworkLine }

func (l cuttableTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	what := path.Base(r.URL.Path)
	if err := l.RunBeforeRequest(what); err != nil {
		return nil, err
	}
	if l.NetworkLine != nil && l.SentCopy != nil && r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		_, _ = l.SentCopy.Write(body)
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if err := l.RunAfterRequest(what); err != nil {
		_ = response.Body.Close()
		return nil, err
	}
	return response, nil
}

// A cuttableConn connection is cut when its line is.
type cuttableConn struct {
	net.Conn
	*NetworkLine
	awaitsAnswer atomic.Bool // something was sent, and nothing came back yet; a driver may read beside what it writes
}

func (c *cuttableConn) Write(p []byte) (int, error) {
	if err := c.RunBeforeRequest("query"); err != nil {
		_ = c.Close()
		return 0, err
	}
	if c.NetworkLine != nil && c.SentCopy != nil {
		_, _ = c.SentCopy.Write(p)
	}
	c.awaitsAnswer.Store(true)
	return c.Conn.Write(p)
}

func (c *cuttableConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil && c.awaitsAnswer.Swap(false) {
		if err := c.RunAfterRequest("query"); err != nil {
			_ = c.Close()
			return 0, err
		}
	}
	return n, err
}
