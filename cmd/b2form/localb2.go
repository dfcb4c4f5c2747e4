package main

import (
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"b2form/internal/emulator"
	"b2form/internal/words"
	"b2form/schema/config"
)

// emulatorFolder holds everything that -emulator touches: the account, the state and
// the files that secrets are delivered to.
const emulatorFolder = ".b2form/emulator"

// emulatorRealm is what the state of the emulator records as its realm, so that it is
// never taken for one of B2's.
const emulatorRealm = "http://localhost"

// A localB2 is an emulated account for the length of one command.
type localB2 struct {
	*emulator.Server
	server              *http.Server
	hostAndPort         string
	stateAndDeliveryDir string // holds what runs on the account leave: the state, and what is delivered
}

// checkEmulatorFolder refuses what leads out of the folder: nothing but folders and files of its own may be in it, as
// somebody else may have written what is there.
func checkEmulatorFolder() error {
	parent, _ := filepath.Split(emulatorFolder)
	if info, err := os.Lstat(filepath.Clean(parent)); err == nil && !info.IsDir() {
		return notOwnFileError(filepath.Clean(parent))
	}
	return filepath.WalkDir(emulatorFolder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return failf("Emulator cannot start", "%s cannot be read: %s.", path, words.ErrorWithoutPath(err))
		case !d.IsDir() && !d.Type().IsRegular():
			return notOwnFileError(path)
		}
		return nil
	})
}

func notOwnFileError(path string) error {
	return failf("Emulator cannot start", "-emulator works in folders and files of its own below %s, and %q is a link or something else. "+
		"Delete it if nobody needs it.", emulatorFolder, path)
}

// openLocalB2 opens the account in its folder.
func (p *program) openLocalB2() (*localB2, error) {
	if err := checkEmulatorFolder(); err != nil {
		return nil, err
	}
	data := filepath.Join(emulatorFolder, "account")
	if err := os.MkdirAll(data, 0o777); err != nil {
		return nil, failf("Emulator cannot start", "The folder %s cannot be made: %s.", data, words.ErrorWithoutPath(err))
	}
	e, err := emulator.Open(emulator.Options{Now: p.now, Dir: data})
	if err != nil {
		return nil, failf("Emulator cannot start", "The account in %s cannot be opened: %s. To begin with an empty account, delete the "+
			"folder %s.",
			data, strings.TrimPrefix(words.ErrorWithoutPath(err), "emulator: "), emulatorFolder)
	}
	return serveLocalB2(e, emulatorFolder)
}

// serveLocalB2 serves an account on a port of this machine. It is closed with that.
func serveLocalB2(e *emulator.Server, dir string) (*localB2, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_ = e.Close()
		return nil, failf("Emulator cannot start", "No port of this machine can be opened: %s.", words.ErrorWithoutPath(err))
	}
	b := &localB2{Server: e, server: newEmulatorHTTPServer(nativeAndS3Handler(e)), hostAndPort: l.Addr().String(), stateAndDeliveryDir: dir}
	go func() { _ = b.server.Serve(l) }() // ends with ErrServerClosed
	return b, nil
}

// nativeAndS3Handler answers the native API and, at its host, the S3-compatible one.
func nativeAndS3Handler(e *emulator.Server) http.Handler {
	s3 := e.S3()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Host, "s3.") {
			s3.ServeHTTP(w, r)
			return
		}
		e.ServeHTTP(w, r)
	})
}

func (b *localB2) close() error {
	_ = b.server.Close() // nobody is left to listen to
	return b.Server.Close()
}

// RoundTrip sends every request to the emulator, whatever host it names: the account
// reports the hosts of the real service.
func (b *localB2) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", b.hostAndPort
	return http.DefaultTransport.RoundTrip(r)
}

// redirectDeliveries keeps delivered files inside its folder, also those with an
// absolute path or one that leads out of the folder, and says so, as it does of
// programs, which are not run.
func (b *localB2) redirectDeliveries(config *config.Config) {
	for _, r := range config.Resources {
		for i := range r.Deliveries {
			d := &r.Deliveries[i]
			if d.Path != "" {
				d.Path = filepath.Join(b.stateAndDeliveryDir, filepath.Join(string(filepath.Separator), d.Path))
				d.DisplayName = d.Path
			}
			if d.Type == "command" {
				d.DisplayName += " (not run: this is the emulator)"
			}
		}
	}
}
