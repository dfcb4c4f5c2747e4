package main

import (
	"errors"
	"io"
	"net"
	"net/http"
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

// A connection that was opened and says nothing more is closed.
func TestSilentConnectionsAreClosed(t *testing.T) {
	for _, c := range []struct {
		name, says string
		most       time.Duration
	}{
		{"nothing", "", time.Minute},
		{"half a request", "GET / HTTP/1.1\r\nHost: x\r\n", time.Minute},
		{"a request, and then nothing", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 5 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				l := &pipeListener{conns: make(chan net.Conn, 1), done: make(chan struct{})}
				l.conns <- server
				s := newServer(http.NotFoundHandler())
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
