package main

import (
	"io"
	"net/http"
	"time"
)

// bodySilence is how long a client may send nothing of a body that it has begun.
const bodySilence = time.Minute

// newEmulatorHTTPServer serves the emulator. Connections that say nothing are closed: clients that
// died would hold them, and their files, for ever. A body may take its time, as long as
// it goes on.
func newEmulatorHTTPServer(h http.Handler) *http.Server {
	goingOn := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == http.NoBody {
			h.ServeHTTP(w, r)
			return
		}
		body := &idleTimeoutBody{ReadCloser: r.Body, connection: http.NewResponseController(w)}
		r.Body = body
		h.ServeHTTP(w, r)
		_ = body.extendReadDeadline() // the server reads what the handler left of it
	})
	return &http.Server{Handler: goingOn, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
}

// An idleTimeoutBody is a body whose connection breaks when nothing of it comes.
type idleTimeoutBody struct {
	io.ReadCloser
	connection *http.ResponseController
}

func (b *idleTimeoutBody) extendReadDeadline() error {
	return b.connection.SetReadDeadline(time.Now().Add(bodySilence))
}

func (b *idleTimeoutBody) Read(p []byte) (n int, err error) {
	if err := b.extendReadDeadline(); err != nil {
		return 0, err
	}
	n, err = b.ReadCloser.Read(p)
	// Meanwhile the server reads from the connection, to notice that the client is gone.
	if lasting := b.connection.SetReadDeadline(time.Time{}); lasting != nil && err == nil {
		err = lasting
	}
	return n, err
}
