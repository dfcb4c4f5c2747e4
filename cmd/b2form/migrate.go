package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"b2form/internal/durable"
	"b2form/internal/state"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema/config"
)

// This file holds the commands that carry a state from one place to another.

func (p *program) statePull() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "pull", Usage: "Print the state, wherever it is kept",
		Description: "What an interrupted run has announced is in it.\n\nExample:\n  b2form state pull >backup.json\n\n" + exitCodes,
		Flags:       p.stateCommandFlags(),
		Action: p.stateAction(func(ctx context.Context, _ *cli.Command, s *session) error {
			st, err := s.readState(ctx)
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if err := st.Encode(&b); err != nil {
				return err
			}
			_, err = p.stdout.Write(visible.EscapeInvisibleInJSON(b.Bytes()))
			return err
		}),
	})
}

const statePushOperation = "state push"

func (p *program) statePush() *cli.Command {
	var force bool
	return p.newCommand(&cli.Command{
		Name: "push", Usage: "Store a state in place of the present one", ArgsUsage: "FILE",
		Description: `FILE is what "state pull" printed; - stands for standard input. A state that
would forget objects is stored only with -force.

Example:
  b2form state push backup.json

` + exitCodes,
		Flags: slices.Concat(p.stateCommandFlags(), p.lockFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "force", Usage: "also if objects are forgotten", Destination: &force},
		}),
		Action: p.stateAction(func(ctx context.Context, c *cli.Command, s *session) error {
			if c.Args().Len() != 1 {
				return failf("Wrong number of arguments", "Usage: %s FILE.", c.FullName())
			}
			st, err := p.readStateFile(c.Args().First())
			if err != nil {
				return err
			}
			return s.changeState(ctx, statePushOperation, func(store *state.Store) error {
				if lost := forgottenObjects(store.State(), st); len(lost) > 0 && !force {
					return failf("Objects would be forgotten", "The state at %s lists what %s does not: %s. Add -force to forget them; "+
						"they stay on B2.",
						s.backend(), c.Args().First(), strings.Join(lost, ", "))
				}
				if err := store.Restore(st); err != nil {
					return err
				}
				p.printResult("Stored the state with %s at %s", objectCountText(st), visible.EscapeLine(fmt.Sprint(s.backend())))
				return nil
			})
		}),
	})
}

// readStateFile reads a state from a file, or from standard input.
func (p *program) readStateFile(name string) (*state.State, error) {
	var data []byte
	var err error
	if name == "-" {
		data, err = durable.ReadAll(p.stdin, mostFileBytes)
	} else {
		data, err = durable.ReadFile(name, mostFileBytes)
	}
	if err != nil {
		return nil, failf("File cannot be read", "%s: %s.", name, words.ErrorWithoutPath(err))
	}
	return state.Parse(name, data)
}

// forgottenObjects are the objects that only the present state has, also those that are still to be deleted.
func forgottenObjects(now, next *state.State) []string {
	known := map[[2]string]bool{} // by kind and ID
	for _, e := range next.Entries {
		for id := range e.IDs() {
			known[[2]string{e.Addr.Kind, id}] = true
		}
	}
	var out []string
	for _, e := range now.Entries {
		if !known[[2]string{e.Addr.Kind, e.ID}] {
			text := e.Addr.String()
			if _, hasOther := next.FindEntry(e.Addr); hasOther {
				text += " with the ID " + visible.EscapeLine(e.ID)
			}
			out = append(out, text)
		}
		for _, r := range e.Retiring {
			if !known[[2]string{e.Addr.Kind, r.ID}] {
				out = append(out, "an earlier object of "+e.Addr.String()+" with the ID "+visible.EscapeLine(r.ID))
			}
		}
	}
	return out
}

func objectCountText(st *state.State) string {
	return words.Count(len(st.Entries), "object", "objects")
}

func (p *program) stateMigrate() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "migrate", Usage: "Move the state to where the configuration keeps it now", ArgsUsage: "[FROM]",
		Description: `Change the backend block first. FROM is where the state was until now: a file,
b2://BUCKET/PREFIX/, https://SERVER/STATE, or
postgres://HOST:PORT/DATABASE?schema=SCHEMA&name=NAME; left out, it is
` + stateFile + `. Both places are locked. When the state is safe in the new
place it is removed from the old one.

Example:
  # from the file into the bucket
  b2form state migrate
  b2form state migrate b2://acme-states/b2form/

` + exitCodes,
		Flags: slices.Concat(p.stateCommandFlags(), p.lockFlags()),
		Action: p.stateAction(func(ctx context.Context, c *cli.Command, s *session) error {
			if c.Args().Len() > 1 {
				return failf("Wrong number of arguments", "Usage: %s [FROM].", c.FullName())
			}
			if p.useEmulator {
				return failf("No migration on the emulator", "With -emulator the state is always kept in %s.", emulatorFolder)
			}
			from, err := s.parseBackend(ctx, c.Args().First())
			if err != nil {
				return err
			}
			return s.migrateState(ctx, from, s.backend())
		}),
	})
}

// parseBackend reads FROM.
func (s *session) parseBackend(ctx context.Context, from string) (state.Backend, error) {
	scheme, rest, _ := strings.Cut(from, "://")
	switch scheme {
	case "http", "https":
		return s.newBackend(config.Backend{Type: "http", Arguments: map[string]string{"address": from, "lock_address": from}}), nil
	case "postgres", "postgresql":
		return s.databaseFromURL(from)
	case "b2":
	default:
		return s.newBackend(config.Backend{Arguments: map[string]string{"path": from}}), nil
	}
	bucket, prefix, _ := strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	if bucket == "" {
		return nil, failf("Invalid place of a state", "%q names no bucket. Write b2://BUCKET/PREFIX/, as `b2form lock` shows it.", from)
	}
	if prefix == "" {
		prefix = strings.TrimSuffix(config.DefaultPrefix, "/")
	}
	if s.client == nil {
		var err error
		if s.client, err = s.newClient(ctx); err != nil {
			return nil, err
		}
	}
	return s.newBackend(config.Backend{Type: "b2", Arguments: map[string]string{"bucket": bucket, "prefix": prefix + "/"}}), nil
}

// migrateState leaves the state in both places if it is cut off; then it can be begun
// again.
func (s *session) migrateState(ctx context.Context, from, to state.Backend) (err error) {
	if fmt.Sprint(from) == fmt.Sprint(to) {
		return failf("Nothing to migrate", "The configuration keeps the state at %s, which is where it is to come from. Change the "+
			"backend block, or name the old place: b2form state migrate FROM.", to)
	}
	old, err := s.lockBackend(ctx, from, "state migrate")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	st := old.State()
	if !hasObjects(st) {
		return nothingToMigrateError(ctx, from, to)
	}
	if err := s.copyState(ctx, st, to); err != nil {
		return err
	}
	if err := old.Clear(); err != nil {
		return err
	}
	s.printResult("Moved the state with %s from %s to %s", objectCountText(st), visible.EscapeLine(fmt.Sprint(from)),
		visible.EscapeLine(fmt.Sprint(to)))
	return nil
}

// nothingToMigrateError says that there is no state to migrate, and whether it may have been.
func nothingToMigrateError(ctx context.Context, from, to state.Backend) error {
	detail := fmt.Sprintf("There is no state at %s. ", visible.EscapeLine(fmt.Sprint(from)))
	if there, err := to.Read(ctx); err == nil && hasObjects(there) {
		detail += fmt.Sprintf("The one at %s, where the configuration keeps it, has %s: if an earlier migration was cut off, it is "+
			"finished. If not, name", visible.EscapeLine(fmt.Sprint(to)), objectCountText(there))
	} else {
		detail += "Name"
	}
	return failf("Nothing to migrate", "%s the place where it was before the backend block was changed, as in `b2form state migrate "+
		"b2://BUCKET/PREFIX/`.", detail)
}

func hasObjects(st *state.State) bool { return len(st.Entries)+len(st.OpenIntents) > 0 }

// copyState stores the state in a place that has none, or what an earlier migration has left of this one there. Where it is
// the old place that has only a part, that migration has stored all and was cut off later.
func (s *session) copyState(ctx context.Context, st *state.State, to state.Backend) (err error) {
	store, err := s.lockBackend(ctx, to, "state migrate")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	now := store.State()
	switch {
	case now.IsPartOf(st):
		return store.Restore(st)
	case st.IsPartOf(now):
		return nil
	}
	return failf("There is a state already", "%s holds %s, and one state cannot be put into another. If an earlier migration was cut off, "+
		"and that state was used since, it is the one that counts: delete what is left in the old place. If not, empty it first, or keep "+
		"this state under another prefix.", to, objectCountText(now))
}

func (p *program) stateInit() *cli.Command {
	var days int
	return p.newCommand(&cli.Command{
		Name: "init", Usage: "Make what keeps the state, or try the server that does",
		Description: `With a backend "b2" block it makes the bucket: private, with a lifecycle rule
that deletes versions of the state some days after a later one took their place.
A bucket that exists is left as it is. With a backend "postgres" block it makes
the tables and prints the rights that users of them need. With a backend "http"
block it tries the server: it reads the state, takes the lock, makes sure that
nobody else gets it, stores the state as it was and gives the lock back.

Example:
  b2form state init -keep=30

` + exitCodes,
		Flags: append(p.stateCommandFlags(),
			&cli.IntFlag{Name: "keep", Value: 30, Usage: "keep old versions in a bucket for `DAYS`", Destination: &days,
				Validator: checkAtLeastOne}),
		Action: p.stateAction(func(ctx context.Context, _ *cli.Command, s *session) error {
			switch b := s.backend().(type) {
			case state.BucketBackend:
				return s.createStateBucket(ctx, b, days)
			case state.HTTPBackend:
				return s.tryStateServer(ctx, b)
			case state.PostgresBackend:
				return s.initDatabase(ctx, b)
			case unusableBackend:
				return b.error
			}
			return failf("Nothing to make", "The state is kept in a file. To keep it in a bucket write\n  b2form {\n    backend "+
				"\"b2\" {\n      bucket = \"acme-states\"\n    }\n  }")
		}),
	})
}

func (s *session) createStateBucket(ctx context.Context, shared state.BucketBackend, keepOldVersionsDays int) error {
	existed, err := shared.CreateBucket(ctx, keepOldVersionsDays)
	switch {
	case err != nil:
		return err
	case existed:
		s.printResult("The bucket %s exists already; nothing was changed.", visible.EscapeLine(shared.BucketName))
	default:
		s.printResult("Made the bucket %s. Old versions of the state are kept for %d days.", visible.EscapeLine(shared.BucketName),
			keepOldVersionsDays)
	}
	return nil
}
