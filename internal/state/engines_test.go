package state_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2form/internal/b2"
	"b2form/internal/emulator"
	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/internal/testrun"
	"b2form/internal/tfserver"
	"b2form/schema/config"
)

// An engine is a kind of backend as the contract meets it. A new one adds a line to
// engines, and nothing to the contract.
type engine struct {
	name string
	// run calls f with a new place, in fake time where the lock ends by the clock.
	run func(t *testing.T, f func(t *testing.T, p place))
	// serve makes a place that other processes reach.
	serve   func(t *testing.T) site
	machine func(s site, now func() time.Time) (state.Backend, error) // in such a process

	remote    bool // it is reached over a line, which can be cut
	unbroken  bool // its lock cannot be broken, since it ends with its process
	expires   bool // its lock ends by the clock
	orphaning bool // the lock of a killed run stays until somebody breaks it
}

func engines() []engine {
	all := []engine{
		{name: "local", run: inFolder, serve: serveFolder, machine: machineWithFolder, unbroken: true},
		{name: "b2", run: inBubble, serve: serveBucket, machine: machineWithBucket, remote: true, expires: true},
		{name: "http", run: inServer(false), serve: serveHTTP(false), machine: machineWithServer, remote: true, orphaning: true},
		{name: "gitlab", run: inServer(true), serve: serveHTTP(true), machine: machineWithServer, remote: true, orphaning: true},
	}
	if testrun.HasPostgres() {
		all = append(all, engine{name: "postgres", run: inDatabase, serve: serveDatabase, machine: machineWithDatabase, remote: true})
	}
	return all
}

// A place keeps one state. Every machine has a Backend of its own for it.
type place struct {
	machine func(l *line) state.Backend
}

// A line is what a machine reaches the service by. before and after, which may be nil, are
// called for each request, and what they return cuts it there.
type line struct {
	before, after func(what string) error
	dead          bool // what is cut stays so
}

var errCut = errors.New("the line is cut")

func (l *line) sending(what string) error {
	if l == nil || l.before == nil {
		return nil
	}
	return l.before(what)
}

func (l *line) answered(what string) error {
	if l == nil || l.after == nil {
		return nil
	}
	return l.after(what)
}

// cutAt cuts the line at its k-th request, before or after that took effect: once, or from
// then on. reached says whether there was one.
func cutAt(k int, after, forGood bool) (l *line, reached func() bool) {
	l = &line{dead: forGood}
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
		l.before = func(string) error {
			if reached() {
				return errCut
			}
			return nil
		}
		l.after = cut
	case after:
		l.after = cut
	default:
		l.before = cut
	}
	return l, reached
}

// A site is a place that other processes reach.
type site struct {
	Engine, URL, KeyID, Key string
	Start                   time.Time
}

func engineNamed(name string) (engine, error) {
	for _, e := range engines() {
		if e.name == name {
			return e, nil
		}
	}
	return engine{}, fmt.Errorf("there is no engine %q", name)
}

func inFolder(t *testing.T, f func(t *testing.T, p place)) {
	path := statePath(t)
	f(t, place{func(*line) state.Backend { return state.LocalFile{Path: path} }})
}

func serveFolder(t *testing.T) site {
	return site{Engine: "local", URL: filepath.Join(t.TempDir(), "b2form.state.json")}
}

func machineWithFolder(s site, _ func() time.Time) (state.Backend, error) {
	return state.LocalFile{Path: s.URL}, nil
}

func inBubble(t *testing.T, f func(t *testing.T, p place)) {
	inCloud(t, func(t *testing.T, c *cloud) {
		f(t, place{func(l *line) state.Backend {
			w := &wire{}
			b := c.shared(w, time.Now)
			_, err := b.Read(t.Context()) // a client that never got a reply gives up early
			must(t, err)
			if l != nil {
				w.line = *l
			}
			return b
		}})
		synctest.Wait()
	})
}

func serveBucket(t *testing.T) site {
	start := time.Now()
	server := httptest.NewUnstartedServer(nil)
	e, err := emulator.Open(emulator.Options{Now: rushed(start, 0), Seed: 1, URL: "http://" + server.Listener.Addr().String()})
	must(t, err)
	server.Config.Handler = e
	server.Start()
	t.Cleanup(func() { server.Close(); must(t, e.Close()) })
	s := site{Engine: "b2", URL: server.URL, KeyID: e.MasterKeyID(), Key: e.MasterKey(), Start: start}
	b, err := machineWithBucket(s, rushed(start, 0))
	must(t, err)
	_, err = b.(state.SharedBucket).CreateBucket(context.Background(), 30)
	must(t, err)
	return s
}

func machineWithBucket(s site, now func() time.Time) (state.Backend, error) {
	client, err := b2.New(b2.Options{KeyID: s.KeyID, Key: s.Key, Endpoint: s.URL, Now: now})
	return state.SharedBucket{Remote: client, Bucket: "acme-states", Prefix: config.DefaultPrefix}, err
}

// httpBackend is the backend that keeps a state at an address, as GitLab takes it if so.
func httpBackend(address string, gitlab bool, transport http.RoundTripper) state.HTTPServer {
	h := state.HTTPServer{Address: address, UpdateMethod: "POST", LockAddress: address, LockMethod: "LOCK", UnlockAddress: address,
		UnlockMethod: "UNLOCK", Username: "tester", Password: secret.New(httpPassword), Transport: transport,
		Retries: 2, RetryWait: time.Second, RetryMost: 30 * time.Second}
	if gitlab {
		h.LockAddress, h.LockMethod, h.UnlockAddress, h.UnlockMethod = address+"/lock", "POST", address+"/lock", "DELETE"
	}
	return h
}

const httpPassword = "s3cr3t-of-the-state"

func newStateServer(gitlab bool) *tfserver.Server {
	return &tfserver.Server{GitLab: gitlab, Username: "tester", Password: httpPassword}
}

func inServer(gitlab bool) func(t *testing.T, f func(t *testing.T, p place)) {
	return func(t *testing.T, f func(t *testing.T, p place)) {
		synctest.Test(t, func(t *testing.T) {
			s := newStateServer(gitlab)
			f(t, place{func(l *line) state.Backend {
				w := &wire{service: s}
				if l != nil {
					w.line = *l
				}
				return httpBackend("https://state.test/states/web", gitlab, w)
			}})
		})
	}
}

func serveHTTP(gitlab bool) func(t *testing.T) site {
	return func(t *testing.T) site {
		server := httptest.NewServer(newStateServer(gitlab))
		t.Cleanup(server.Close)
		return site{Engine: map[bool]string{false: "http", true: "gitlab"}[gitlab], URL: server.URL + "/states/web", Start: time.Now()}
	}
}

func machineWithServer(s site, _ func() time.Time) (state.Backend, error) {
	h := httpBackend(s.URL, s.Engine == "gitlab", http.DefaultTransport)
	h.RetryWait = time.Millisecond
	return h, nil
}

// database is a state of its own in the database of this test process.
func database(t *testing.T, name string) state.Database {
	t.Helper()
	if !testrun.HasPostgres() {
		t.Skip("PostgreSQL is not installed")
	}
	server, err := testrun.Postgres()
	must(t, err)
	d, err := machineWithDatabase(site{URL: server.SocketDir, Key: name}, nil)
	must(t, err)
	must(t, d.(state.Database).CreateTables(context.Background()))
	return d.(state.Database)
}

func machineWithDatabase(s site, _ func() time.Time) (state.Backend, error) {
	return overLine(s, nil)
}

func overLine(s site, l *line) (state.Backend, error) {
	d, err := state.NewDatabase("host="+s.URL+" user=postgres dbname=postgres password='"+databasePassword+"'", "b2form", s.Key,
		func(ctx context.Context, network, addr string) (net.Conn, error) {
			if err := l.sending("dial"); err != nil {
				return nil, err
			}
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			return &cuttable{Conn: c, line: l}, err
		})
	d.Patience = time.Minute
	if l != nil && l.dead {
		d.Patience = 0
	}
	return d, err
}

const databasePassword = "Pa55w0rd/for&it"

// A cuttable connection is cut when its line is.
type cuttable struct {
	net.Conn
	*line
	asked bool // something was sent, and nothing came back yet
}

func (c *cuttable) Write(p []byte) (int, error) {
	if err := c.sending("query"); err != nil {
		_ = c.Close()
		return 0, err
	}
	c.asked = true
	return c.Conn.Write(p)
}

func (c *cuttable) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.asked && err == nil {
		c.asked = false
		if err := c.answered("query"); err != nil {
			_ = c.Close()
			return 0, err
		}
	}
	return n, err
}

func inDatabase(t *testing.T, f func(t *testing.T, p place)) {
	name := t.Name()
	d := database(t, name)
	server, err := testrun.Postgres()
	must(t, err)
	f(t, place{func(l *line) state.Backend {
		if l == nil {
			return d
		}
		b, err := overLine(site{URL: server.SocketDir, Key: name}, l)
		must(t, err)
		return b
	}})
}

func serveDatabase(t *testing.T) site {
	database(t, t.Name())
	server, err := testrun.Postgres()
	must(t, err)
	return site{Engine: "postgres", URL: server.SocketDir, Key: t.Name(), Start: time.Now()}
}
