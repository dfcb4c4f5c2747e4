package engines

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"path"
	"sync"
)

// A Line is what a machine reaches a service by. Before and After, which may be nil, are
// called for each request, and what they return cuts it there. nil is a line that holds.
type Line struct {
	Before, After func(what string) error
	StaysCut      bool      // what is cut stays so
	Copy          io.Writer // gets all that is sent; may be nil
}

var errCut = errors.New("the line is cut")

// Sending is called for a request that is about to be sent.
func (l *Line) Sending(what string) error {
	if l == nil || l.Before == nil {
		return nil
	}
	return l.Before(what)
}

// Answered is called for a request that took effect.
func (l *Line) Answered(what string) error {
	if l == nil || l.After == nil {
		return nil
	}
	return l.After(what)
}

// CutAt cuts the line at its k-th request, before or after that took effect: once, or from
// then on. reached says whether there was one.
func CutAt(k int, after, forGood bool) (l *Line, reached func() bool) {
	l = &Line{StaysCut: forGood}
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
		l.Before = func(string) error {
			if reached() {
				return errCut
			}
			return nil
		}
		l.After = cut
	case after:
		l.After = cut
	default:
		l.Before = cut
	}
	return l, reached
}

// An httpLine carries requests over a line.
type httpLine struct{ *Line }

func (l httpLine) RoundTrip(r *http.Request) (*http.Response, error) {
	what := path.Base(r.URL.Path)
	if err := l.Sending(what); err != nil {
		return nil, err
	}
	if l.Line != nil && l.Copy != nil && r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		_, _ = l.Copy.Write(body)
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if err := l.Answered(what); err != nil {
		_ = response.Body.Close()
		return nil, err
	}
	return response, nil
}

// A cuttable connection is cut when its line is.
type cuttable struct {
	net.Conn
	*Line
	awaitsAnswer bool // something was sent, and nothing came back yet
}

func (c *cuttable) Write(p []byte) (int, error) {
	if err := c.Sending("query"); err != nil {
		_ = c.Close()
		return 0, err
	}
	if c.Line != nil && c.Copy != nil {
		_, _ = c.Copy.Write(p)
	}
	c.awaitsAnswer = true
	return c.Conn.Write(p)
}

func (c *cuttable) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.awaitsAnswer && err == nil {
		c.awaitsAnswer = false
		if err := c.Answered("query"); err != nil {
			_ = c.Close()
			return 0, err
		}
	}
	return n, err
}
