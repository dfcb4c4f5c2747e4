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

// A BackendType is a kind of backend. A new one adds a line to All.
type BackendType struct {
	Name string

	Remote          bool // it is reached over a line, which can be cut
	LockUnbreakable bool // its lock cannot be broken, since it ends with its process
	LockExpires     bool // its lock ends by the clock
	LockOutlivesRun bool // the lock of a killed run stays until somebody breaks it

	serve   func(now func() time.Time) (s StateLocation, stop func() error, err error)
	connect func(s StateLocation, now func() time.Time, l *NetworkLine) (state.Backend, error)
}

// All are the engines that this machine has.
func All() []BackendType {
	all := []BackendType{
		{Name: "local", serve: serveFolder, connect: connectFolder, LockUnbreakable: true},
		{Name: "b2", serve: serveBucket, connect: connectBucket, Remote: true, LockExpires: true},
		{Name: "http", serve: serveHTTP, connect: connectHTTP, Remote: true, LockOutlivesRun: true},
		{Name: "gitlab", serve: serveGitLab, connect: connectGitLab, Remote: true, LockOutlivesRun: true},
	}
	if testrun.UsesPostgres() {
		all = append(all, BackendType{Name: "postgres", serve: serveDatabase, connect: connectDatabase, Remote: true})
	}
	return all
}

// A StateLocation is a place for one state that other processes reach, too.
type StateLocation struct{ BackendName, URLOrPath, KeyID, SecretOrStateName string }

// Serve makes a place of its own. now is the clock of its service, where it has one.
func (e BackendType) Serve(now func() time.Time) (s StateLocation, stop func() error, err error) {
	s, stop, err = e.serve(now)
	s.BackendName = e.Name
	return s, stop, err
}

// Connect is the backend as a machine with this clock has it. l may be nil.
func (s StateLocation) Connect(now func() time.Time, l *NetworkLine) (state.Backend, error) {
	for _, e := range All() {
		if e.Name == s.BackendName {
			return e.connect(s, now, l)
		}
	}
	return nil, fmt.Errorf("there is no engine %q", s.BackendName)
}

func serveFolder(func() time.Time) (s StateLocation, stop func() error, err error) {
	dir, err := os.MkdirTemp("", "state-")
	return StateLocation{URLOrPath: filepath.Join(dir, "b2form.state.json")}, func() error { return os.RemoveAll(dir) }, err
}

func connectFolder(s StateLocation, _ func() time.Time, _ *NetworkLine) (state.Backend, error) {
	return state.LocalFile{Path: s.URLOrPath}, nil
}

func serveBucket(now func() time.Time) (s StateLocation, stop func() error, err error) {
	server := httptest.NewUnstartedServer(nil)
	e, err := emulator.Open(emulator.Options{Now: now, Seed: 1, URL: "http://" + server.Listener.Addr().String()})
	if err != nil {
		return s, nil, err
	}
	server.Config.Handler = e
	server.Start()
	s = StateLocation{URLOrPath: server.URL, KeyID: e.MasterKeyID(), SecretOrStateName: e.MasterKey()}
	b, err := connectBucket(s, now, nil)
	if err == nil {
		_, err = b.(state.BucketBackend).CreateBucket(context.Background(), 30)
	}
	return s, func() error { server.Close(); return e.Close() }, err
}

// connectBucket has a client that does not wait long between tries.
func connectBucket(s StateLocation, now func() time.Time, l *NetworkLine) (state.Backend, error) {
	client, err := b2.New(b2.Options{KeyID: s.KeyID, Key: s.SecretOrStateName, Endpoint: s.URLOrPath, Now: now,
		Transport: cuttableTransport{l},
		Sleep:     func(ctx context.Context, d time.Duration) error { return pause.For(ctx, d/200) }})
	return state.BucketBackend{Remote: client, BucketName: "acme-states", Prefix: config.DefaultPrefix}, err
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

// NewHTTPServer is the server of such a backend.
func NewHTTPServer(gitlab bool) *tfserver.Server {
	return &tfserver.Server{GitLab: gitlab, Username: "tester", Password: HTTPPassword}
}

func serveHTTP(func() time.Time) (s StateLocation, stop func() error, err error) {
	return serveHandler(NewHTTPServer(false))
}

func serveGitLab(func() time.Time) (s StateLocation, stop func() error, err error) {
	return serveHandler(NewHTTPServer(true))
}

func serveHandler(h http.Handler) (s StateLocation, stop func() error, err error) {
	server := httptest.NewServer(h)
	return StateLocation{URLOrPath: server.URL + "/states/web"}, func() error { server.Close(); return nil }, nil
}

func connectHTTP(s StateLocation, _ func() time.Time, l *NetworkLine) (state.Backend, error) {
	h := NewHTTPBackend(s.URLOrPath, false, cuttableTransport{l})
	h.FirstRetryWait = time.Millisecond
	return h, nil
}

func connectGitLab(s StateLocation, _ func() time.Time, l *NetworkLine) (state.Backend, error) {
	h := NewHTTPBackend(s.URLOrPath, true, cuttableTransport{l})
	h.FirstRetryWait = time.Millisecond
	return h, nil
}

// DatabasePassword is that of the user postgres.
const DatabasePassword = "Pa55w0rd/for&it"

func serveDatabase(func() time.Time) (s StateLocation, stop func() error, err error) {
	server, err := testrun.SharedPostgres()
	if err != nil {
		return s, nil, err
	}
	s = StateLocation{URLOrPath: server.SocketDir, SecretOrStateName: rand.Text()}
	d, err := connectDatabase(s, nil, nil)
	if err == nil {
		err = d.(state.PostgresBackend).CreateTables(context.Background())
	}
	return s, func() error { return nil }, err // the server ends with the process
}

func connectDatabase(s StateLocation, _ func() time.Time, l *NetworkLine) (state.Backend, error) {
	d, err := state.NewPostgresBackend("host="+s.URLOrPath+" user=postgres dbname=postgres password='"+DatabasePassword+"'", "b2form",
		s.SecretOrStateName,
		func(ctx context.Context, network, addr string) (net.Conn, error) {
			if err := l.RunBeforeRequest("dial"); err != nil {
				return nil, err
			}
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			return &cuttableConn{Conn: c, NetworkLine: l}, err
		})
	d.ReconnectTimeout = time.Minute
	if l != nil && l.StaysCut {
		d.ReconnectTimeout = 0
	}
	return d, err
}
