package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/urfave/cli/v3"

	"b2form/internal/account"
	"b2form/internal/audit"
	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema/config"
)

func (p *program) keysCommand() *cli.Command {
	var (
		within   time.Duration
		detailed bool
	)
	return p.command(&cli.Command{
		Name: "keys", Usage: "Look over the live application keys",
		Description: `Every live key is listed: whose it is, what it may do, and what deserves a look:

  unowned            the state here does not know it
  bucket-gone        a bucket that it is limited to does not exist any more
  duplicate-name     several live keys have this name
  expires-soon       it expires, and no rotation renews it
  all-buckets-write  it may change files in every bucket
  manages-keys       it may make keys that may do anything
  no-expiry          it works until somebody deletes it
  master-key         b2form itself is run with the master key

In a folder without configuration and state, nothing is said of whose a key is.
The last four can be made errors of plan and apply: deny = ["no-expiry"] in the
b2form block. So can no-list-buckets, of which these warn: a key for files that
may not list buckets is of no use to most programs. Nothing is changed.

Example:
  b2form keys
  b2form keys -detailed-exitcode -json     # in a pipeline

Exit codes:
  0  success; with -detailed-exitcode: nothing was found
  1  an error, or the configuration denies what was found
  2  with -detailed-exitcode: something was found`,
		Flags: slices.Concat(p.configFlags(), p.accountFlags(), []cli.Flag{
			&cli.DurationFlag{Name: "within", Value: 14 * 24 * time.Hour, Usage: "mention what expires within `DURATION`",
				Destination: &within},
			&cli.BoolFlag{Name: "detailed-exitcode", Usage: "exit with 2 if something was found", Destination: &detailed},
			p.jsonFlag("print the report as JSON"),
		}),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return p.showKeys(ctx, within, detailed)
		},
	})
}

func (p *program) showKeys(ctx context.Context, within time.Duration, detailed bool) (err error) {
	ctx, stop := p.interruptible(ctx)
	defer stop()
	p.bare = true
	s, err := p.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	report, err := s.audit(ctx, within)
	if err != nil {
		return err
	}
	if p.json {
		doc, err := view.NewAudit(report)
		if err == nil {
			err = p.printJSON(doc)
		}
		if err != nil {
			return err
		}
	} else {
		p.text().Audit(report)
	}
	if denied := append(plan.CheckDeniedAccount(s.config, s.snapshot.Account), plan.CheckDenied(s.config)...); len(denied) > 0 {
		return denied
	}
	if detailed && (report.Found() > 0 || len(report.Account) > 0) {
		return changesPresent
	}
	return nil
}

// audit reads every bucket and every key, of whatever sort.
func (s *session) audit(ctx context.Context, within time.Duration) (*audit.Report, error) {
	st, err := s.readState(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.client.Authorize(ctx)
	if err != nil {
		return nil, err
	}
	if err := belongs(st, a); err != nil {
		return nil, err
	}
	for _, k := range s.kinds {
		for _, c := range k.Reads {
			if k.YieldsSecret() && !a.HasCapability(c) {
				return nil, failf("Keys cannot be listed", "The credentials in use lack the capability %s. Use a key that has it.", c)
			}
		}
	}
	warnings, err := s.read(ctx, a, s.queryEverything)
	if err != nil {
		return nil, err
	}
	s.ui.Diagnostics(warnings, s.files)
	return audit.Look(audit.Options{
		Config: s.config, Kinds: s.kinds, Snapshot: s.snapshot, Entries: st.Entries, Now: s.serviceTime(), Soon: within,
	})
}

// queryEverything is all buckets and keys, and what data blocks ask for.
func (s *session) queryEverything() account.Query {
	want := account.QueryFor(&config.Config{Data: s.config.Data}, nil, s.kinds)
	for _, k := range s.kinds {
		need := want[k.Name]
		need.Multi = need.Multi || k.YieldsSecret()
		want[k.Name] = need
	}
	return want
}
