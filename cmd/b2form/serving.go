package main

import (
	"net/http"
	"time"
)

// newServer serves the emulator. Connections that say nothing are closed: clients that
// died would hold them, and their files, for ever. A body may take its time.
func newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
}
