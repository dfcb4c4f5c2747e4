package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A pipeListener hands out one connection.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.done); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func readIfAsked(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/read" {
		_, _ = io.Copy(w, r.Body)
	}
}

// A body may take its time.
func TestSlowBodiesArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		l := &pipeListener{conns: make(chan net.Conn, 1), done: make(chan struct{})}
		l.conns <- server
		s := newEmulatorHTTPServer(http.HandlerFunc(readIfAsked))
		go func() { _ = s.Serve(l) }()
		go func() {
			_, _ = io.WriteString(client, "POST /read HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 20\r\n\r\n")
			for range 20 {
				time.Sleep(bodySilence / 2) // fake
				_, _ = io.WriteString(client, "x")
			}
		}()
		said, err := io.ReadAll(client)
		if err != nil || !strings.HasSuffix(string(said), strings.Repeat("x", 20)) {
			t.Errorf("%v: %s", err, said)
		}
		if err := errors.Join(s.Close(), client.Close()); err != nil {
			t.Error(err)
		}
	})
}

// A connection that was opened and says nothing more is closed.
func TestSilentConnectionsAreClosed(t *testing.T) {
	for _, c := range []struct {
		name, says string
		most       time.Duration
	}{
		{"nothing", "", time.Minute},
		{"half a request", "GET / HTTP/1.1\r\nHost: x\r\n", time.Minute},
		{"a request, and then nothing", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 5 * time.Minute},
		{"half a body", "POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", 5 * time.Minute},
		{"half a body that nobody reads", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", 5 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				l := &pipeListener{conns: make(chan net.Conn, 1), done: make(chan struct{})}
				l.conns <- server
				s := newEmulatorHTTPServer(http.HandlerFunc(readIfAsked))
				go func() { _ = s.Serve(l) }()
				go func() { _, _ = io.WriteString(client, c.says) }()
				start := time.Now()
				_ = client.SetReadDeadline(start.Add(time.Hour))
				_, err := io.Copy(io.Discard, client)
				if took := time.Since(start); err != nil || took > c.most {
					t.Errorf("closed after %v (%v), want within %v", took, err, c.most)
				}
				if err := errors.Join(s.Close(), client.Close()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
