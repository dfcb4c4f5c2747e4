package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/internal/b2"
	"b2form/internal/state"
	"b2form/internal/visible"
	"b2form/schema"
	"b2form/schema/config"
	"b2form/schema/wire"
)

const stateFile = config.DefaultState

// backend is where the state is kept. On the emulator that is its folder,
// whatever the configuration says.
func (s *session) backend() state.Backend {
	switch {
	case s.testAccount != nil:
		return state.LocalFile{Path: filepath.Join(s.testAccount.stateAndDeliveryDir, stateFile)}
	case s.useEmulator:
		return state.LocalFile{Path: filepath.Join(emulatorFolder, stateFile)}
	}
	return s.newBackend(s.config.Settings.Backend)
}

func (s *session) newBackend(b config.Backend) state.Backend {
	switch b.Type {
	case "b2":
		return state.BucketBackend{Remote: s.client, BucketName: b.Arguments["bucket"], Prefix: b.Arguments["prefix"]}
	case "http":
		h, err := s.newHTTPBackend(b.Arguments)
		return unusableBackendIfError(h, errorAtBlock(err, b.Range))
	case "postgres":
		d, err := s.newDatabase(b.Arguments)
		return unusableBackendIfError(d, errorAtBlock(err, b.Range))
	}
	return state.LocalFile{Path: cmp.Or(b.Arguments["path"], stateFile)}
}

// stateIfSeveral is where the state is kept, where a folder may have several of them since the place comes from variables or from
// the environment; "": it has one, or the place is not known.
func (s *session) stateIfSeveral() string {
	b := s.config.Settings.Backend
	fromEnvironment := b.Type == "http" && b.Arguments["address"] == "" || b.Type == "postgres" && b.Arguments["conn_str"] == ""
	if s.testAccount != nil || s.useEmulator || !b.UsesVariables && !fromEnvironment {
		return ""
	}
	place := s.newBackend(b)
	if _, unusable := place.(unusableBackend); unusable {
		return ""
	}
	return fmt.Sprint(place)
}

// An unusableBackend is one whose settings are wrong: whatever is asked of it, it says so.
type unusableBackend struct{ error }

func unusableBackendIfError[B state.Backend](b B, err error) state.Backend {
	if err != nil {
		return unusableBackend{err}
	}
	return b
}

// errorAtBlock says of an error in the settings of a backend where its block is.
func errorAtBlock(err error, blockRange hcl.Range) error {
	var diags hcl.Diagnostics
	if blockRange.Filename != "" && errors.As(err, &diags) {
		for _, d := range diags {
			d.Subject = &blockRange
		}
	}
	return err
}

func (u unusableBackend) Read(context.Context) (*state.State, error) { return nil, u.error }

func (u unusableBackend) Open(context.Context, state.Options) (*state.Store, error) {
	return nil, u.error
}

func (u unusableBackend) LockHolder(context.Context) (*state.LockedError, error) { return nil, u.error }

func (u unusableBackend) BreakLock(context.Context) (*state.LockedError, error) { return nil, u.error }

// warnUnreadStateFile says once that a file with a state lies there which is not read, since the
// state is kept elsewhere.
func (s *session) warnUnreadStateFile() {
	switch s.backend().(type) {
	case state.LocalFile, unusableBackend:
		return
	}
	if _, err := os.Lstat(stateFile); err != nil || s.warnedUnreadStateFile {
		return
	}
	s.warnedUnreadStateFile = true
	s.warn("A file with a state is not read", fmt.Sprintf("The state is kept at %s, but %s lies here. If it was to be moved there, run "+
		"`b2form state migrate`. If it is left of the time before, delete it.", visible.EscapeLine(fmt.Sprint(s.backend())), stateFile))
}

// readState gives the state as it is, without a lock.
func (s *session) readState(ctx context.Context) (*state.State, error) {
	s.warnUnreadStateFile()
	defer s.beginPhase("read the state", "Reading the state")()
	return s.backend().Read(ctx)
}

// lockState locks the state.
func (s *session) lockState(ctx context.Context, operation string) (*state.Store, error) {
	s.warnUnreadStateFile()
	return s.lockBackend(ctx, s.backend(), operation)
}

func (s *session) lockBackend(ctx context.Context, b state.Backend, operation string) (*state.Store, error) {
	defer s.beginPhase("lock and read the state", "Locking the state")()
	return b.Open(ctx, s.lockOptions(operation))
}

func (s *session) lockOptions(operation string) state.Options {
	return state.Options{
		Now: s.now, Operation: operation, LockOwner: s.lockOwner(), LockTimeout: s.lockTimeout,
		OnWait: s.noteLockWait, Sleep: s.sleep, NoLock: !s.takeLock,
		ReplacesLost: operation == statePushOperation,
	}
}

// noteLockWait says who is waited for, once.
func (p *program) noteLockWait(holder *state.LockedError) {
	p.ui.Note("Waiting for the state lock, for " + p.lockTimeout.String() + " at most...\n" + holder.InfoText() + "\n")
}

// openStateOnlySession is open for commands that work on the state alone: of the
// configuration only the b2form block is read, and a client is made only where
// the state is in a bucket.
func (p *program) openStateOnlySession(ctx context.Context) (*session, error) {
	s := &session{program: p, kinds: schema.Kinds(), config: &config.Config{}}
	if p.useEmulator {
		return s, checkEmulatorFolder()
	}
	config, diags := schema.LoadSettings(p.schemaOptions(s.kinds))
	p.sourceFiles = config.Files
	p.ui.Diagnostics(diags, p.sourceFiles)
	if diags.HasErrors() {
		return nil, exitCode(1)
	}
	s.config = config
	if config.Settings.Backend.Type != "b2" {
		return s, nil
	}
	var err error
	s.client, err = s.newClient(ctx)
	return s, err
}

// stateAction is the action of a command that works on the state alone.
func (p *program) stateAction(do func(context.Context, *cli.Command, *session) error) cli.ActionFunc {
	return func(ctx context.Context, c *cli.Command) error {
		ctx, stop := p.withInterrupt(ctx)
		defer stop()
		s, err := p.openStateOnlySession(ctx)
		if err != nil {
			return err
		}
		return do(ctx, c, s)
	}
}

// changeState does something with the state under its lock.
func (s *session) changeState(ctx context.Context, operation string, do func(*state.Store) error) (err error) {
	if _, statErr := os.Stat(emulatorFolder); s.useEmulator && errors.Is(statErr, fs.ErrNotExist) {
		return failf("There is no state", "-emulator works in %s, which does not exist: nothing was applied there yet.", emulatorFolder)
	}
	store, err := s.lockState(ctx, operation)
	if err != nil {
		return err
	}
	defer func() { err = closeStore(store, err) }()
	return do(store)
}

// closeStore closes the store after work that ended with err. That the lock was lost
// is not said twice.
func closeStore(store *state.Store, err error) error {
	closeErr, gone := store.Close(), store.CheckLocked()
	if err != nil && gone != nil && errors.Is(closeErr, gone) {
		return err
	}
	return errors.Join(err, closeErr)
}

// A fencedAPI sends nothing when the lock of the state is lost, and lines up
// its updates of the bucket that holds the state with those of the lock.
type fencedAPI struct {
	*b2.Client
	store *state.Store
}

// Call implements wire.API.
func (g fencedAPI) Call(ctx context.Context, method string, in, out any) error {
	return g.store.CallInTurn(b2.WithAttemptCheck(ctx, g.store.CheckLocked), g.Client, method, in, out)
}

// Empty implements wire.BucketEmptier.
func (g fencedAPI) Empty(ctx context.Context, bucketID string, progress func(int)) (removed int, err error) {
	return g.Client.Empty(b2.WithAttemptCheck(ctx, g.store.CheckLocked), bucketID, progress)
}

// Put implements wire.FileStore.
func (g fencedAPI) Put(ctx context.Context, u wire.Upload) (json.RawMessage, error) {
	return g.Client.Put(b2.WithAttemptCheck(ctx, g.store.CheckLocked), u)
}

// Purge implements wire.FileStore.
func (g fencedAPI) Purge(ctx context.Context, bucketID, name string, progress func(int)) (removed int, err error) {
	return g.Client.Purge(b2.WithAttemptCheck(ctx, g.store.CheckLocked), bucketID, name, progress)
}
