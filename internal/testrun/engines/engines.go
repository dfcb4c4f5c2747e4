// Package engines serves each kind of place that a state is kept in, for tests. What a test
// demands of states it demands of all of them. Only tests import it.
package engines

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"b2form/internal/b2"
	"b2form/internal/emulator"
	"b2form/internal/pause"
	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/internal/testrun"
	"b2form/internal/tfserver"
	"b2form/schema/config"
)

// An Engine is a kind of backend. A new one adds a line to All.
type Engine struct {
	Name string

	Remote          bool // it is reached over a line, which can be cut
	LockUnbreakable bool // its lock cannot be broken, since it ends with its process
	LockExpires     bool // its lock ends by the clock
	LockOutlivesRun bool // the lock of a killed run stays until somebody breaks it

	serve   func(now func() time.Time) (s Site, stop func() error, err error)
	connect func(s Site, now func() time.Time, l *Line) (state.Backend, error)
}

// All are the engines that this machine has.
func All() []Engine {
	all := []Engine{
		{Name: "local", serve: serveFolder, connect: connectFolder, LockUnbreakable: true},
		{Name: "b2", serve: serveBucket, connect: connectBucket, Remote: true, LockExpires: true},
		{Name: "http", serve: serveHTTP, connect: connectHTTP, Remote: true, LockOutlivesRun: true},
		{Name: "gitlab", serve: serveGitLab, connect: connectGitLab, Remote: true, LockOutlivesRun: true},
	}
	if testrun.UsesPostgres() {
		all = append(all, Engine{Name: "postgres", serve: serveDatabase, connect: connectDatabase, Remote: true})
	}
	return all
}

// A Site is a place for one state that other processes reach, too.
type Site struct{ Engine, URL, KeyID, Key string }

// Serve makes a place of its own. now is the clock of its service, where it has one.
func (e Engine) Serve(now func() time.Time) (s Site, stop func() error, err error) {
	s, stop, err = e.serve(now)
	s.Engine = e.Name
	return s, stop, err
}

// Connect is the backend as a machine with this clock has it. l may be nil.
func (s Site) Connect(now func() time.Time, l *Line) (state.Backend, error) {
	for _, e := range All() {
		if e.Name == s.Engine {
			return e.connect(s, now, l)
		}
	}
	return nil, fmt.Errorf("there is no engine %q", s.Engine)
}

func serveFolder(func() time.Time) (s Site, stop func() error, err error) {
	dir, err := os.MkdirTemp("", "state-")
	return Site{URL: filepath.Join(dir, "b2form.state.json")}, func() error { return os.RemoveAll(dir) }, err
}

func connectFolder(s Site, _ func() time.Time, _ *Line) (state.Backend, error) {
	return state.LocalFile{Path: s.URL}, nil
}

func serveBucket(now func() time.Time) (s Site, stop func() error, err error) {
	server := httptest.NewUnstartedServer(nil)
	e, err := emulator.Open(emulator.Options{Now: now, Seed: 1, URL: "http://" + server.Listener.Addr().String()})
	if err != nil {
		return s, nil, err
	}
	server.Config.Handler = e
	server.Start()
	s = Site{URL: server.URL, KeyID: e.MasterKeyID(), Key: e.MasterKey()}
	b, err := connectBucket(s, now, nil)
	if err == nil {
		_, err = b.(state.SharedBucket).CreateBucket(context.Background(), 30)
	}
	return s, func() error { server.Close(); return e.Close() }, err
}

// connectBucket has a client that does not wait long between tries.
func connectBucket(s Site, now func() time.Time, l *Line) (state.Backend, error) {
	client, err := b2.New(b2.Options{KeyID: s.KeyID, Key: s.Key, Endpoint: s.URL, Now: now, Transport: httpLine{l},
		Sleep: func(ctx context.Context, d time.Duration) error { return pause.For(ctx, d/200) }})
	return state.SharedBucket{Remote: client, BucketName: "acme-states", Prefix: config.DefaultPrefix}, err
}

// HTTPPassword is that of the servers.
const HTTPPassword = "s3cr3t-of-the-state"

// NewHTTPBackend is the backend that keeps a state at an address, as GitLab takes it if so.
func NewHTTPBackend(address string, gitlab bool, transport http.RoundTripper) state.HTTPBackend {
	h := state.HTTPBackend{Address: address, UpdateMethod: "POST", LockAddress: address, LockMethod: "LOCK", UnlockAddress: address,
		UnlockMethod: "UNLOCK", Username: "tester", Password: secret.New(HTTPPassword), Transport: transport,
		Retries: 2, FirstRetryWait: time.Second, MaxRetryWait: 30 * time.Second}
	if gitlab {
		h.LockAddress, h.LockMethod, h.UnlockAddress, h.UnlockMethod = address+"/lock", "POST", address+"/lock", "DELETE"
	}
	return h
}

// HTTPServer is the server of such a backend.
func HTTPServer(gitlab bool) *tfserver.Server {
	return &tfserver.Server{GitLab: gitlab, Username: "tester", Password: HTTPPassword}
}

func serveHTTP(func() time.Time) (s Site, stop func() error, err error) {
	return serveHandler(HTTPServer(false))
}

func serveGitLab(func() time.Time) (s Site, stop func() error, err error) {
	return serveHandler(HTTPServer(true))
}

func serveHandler(h http.Handler) (s Site, stop func() error, err error) {
	server := httptest.NewServer(h)
	return Site{URL: server.URL + "/states/web"}, func() error { server.Close(); return nil }, nil
}

func connectHTTP(s Site, _ func() time.Time, l *Line) (state.Backend, error) {
	h := NewHTTPBackend(s.URL, false, httpLine{l})
	h.FirstRetryWait = time.Millisecond
	return h, nil
}

func connectGitLab(s Site, _ func() time.Time, l *Line) (state.Backend, error) {
	h := NewHTTPBackend(s.URL, true, httpLine{l})
	h.FirstRetryWait = time.Millisecond
	return h, nil
}

// DatabasePassword is that of the user postgres.
const DatabasePassword = "Pa55w0rd/for&it"

func serveDatabase(func() time.Time) (s Site, stop func() error, err error) {
	server, err := testrun.Postgres()
	if err != nil {
		return s, nil, err
	}
	s = Site{URL: server.SocketDir, Key: rand.Text()}
	d, err := connectDatabase(s, nil, nil)
	if err == nil {
		err = d.(state.Database).CreateTables(context.Background())
	}
	return s, func() error { return nil }, err // the server ends with the process
}

func connectDatabase(s Site, _ func() time.Time, l *Line) (state.Backend, error) {
	d, err := state.NewDatabase("host="+s.URL+" user=postgres dbname=postgres password='"+DatabasePassword+"'", "b2form", s.Key,
		func(ctx context.Context, network, addr string) (net.Conn, error) {
			if err := l.Sending("dial"); err != nil {
				return nil, err
			}
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			return &cuttable{Conn: c, Line: l}, err
		})
	d.ReconnectTimeout = time.Minute
	if l != nil && l.StaysCut {
		d.ReconnectTimeout = 0
	}
	return d, err
}
