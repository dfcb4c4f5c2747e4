package main

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"b2form/internal/account"
	"b2form/internal/audit"
	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// A keysRequest is what keys is to show.
type keysRequest struct {
	mentionExpiryWithin time.Duration
	detailedExitCode    bool // exit with 2 if something was found
	filter              audit.Filter
	sortColumn          string
}

func (p *program) keysCommand() *cli.Command {
	r := &keysRequest{mentionExpiryWithin: plan.ExpiryNoticePeriod}
	return p.newCommand(&cli.Command{
		Name: "keys", Usage: "Look over the live application keys",
		Description: `Every live key has one line: whose it is, what it may do, and what deserves a
look. -verbose shows everything about each key. The findings are:

  unowned            the state here does not know it
  bucket-gone        a bucket that it is limited to is gone
  duplicate-name     several live keys have this name
  expires-soon       it expires, and no rotation renews it
  all-buckets-write  it may change files in every bucket
  manages-keys       it may make keys that may do anything
  no-expiry          it works until somebody deletes it
  master-key         b2form itself runs with the master key

In a folder without configuration and state, nothing is said of whose a key is.
The last four can be made errors of plan and apply: deny = ["no-expiry"] in the
b2form block. So can no-list-buckets, of which these warn: a key for files that
may not list buckets is of no use to most programs. Nothing is changed.

Example:
  b2form keys
  b2form keys -finding=no-expiry -sort=expires
  b2form keys -detailed-exitcode -json

Exit codes:
  0  success; with -detailed-exitcode: nothing was found
  1  an error, or the configuration denies what was found
  2  with -detailed-exitcode: something was found`,
		Flags: slices.Concat(p.configFlags(), p.accountFlags(), []cli.Flag{
			durationFlag("within", "mention what expires within `DURATION`, such as 40d (default: 14d)", &r.mentionExpiryWithin),
			&cli.StringFlag{Name: "name", Usage: "only keys whose name is `PATTERN`, in which * stands for any text",
				Destination: &r.filter.NamePattern, Validator: checkPattern},
			&cli.StringFlag{Name: "bucket", Usage: "only keys that reach the bucket `NAME`", Destination: &r.filter.ReachedBucket},
			&cli.GenericFlag{Name: "finding", Usage: "only keys with a finding in `LIST`, such as unowned,no-expiry",
				Value: funcFlag{r.addFindingFilter}},
			&cli.StringFlag{Name: "sort", Value: "name", Usage: "in the order of `COLUMN`: " + strings.Join(audit.SortColumns(), ", "),
				Destination: &r.sortColumn,
				Validator:   func(name string) error { return checkKnownName(name, "column", audit.SortColumns()) }},
			&cli.BoolFlag{Name: "detailed-exitcode", Usage: "exit with 2 if something was found", Destination: &r.detailedExitCode},
			p.verboseFlag("show everything about each key"),
			p.jsonFlag("print the report as JSON"),
		}, p.reportFlags()),
		Action: func(ctx context.Context, _ *cli.Command) error {
			p.allowNoConfig = true
			if err := p.beginReport("keys"); err != nil {
				return err
			}
			return p.withSession(ctx, func(ctx context.Context, s *session) error { return s.showKeys(ctx, r) })
		},
	})
}

func (r *keysRequest) addFindingFilter(list string) error {
	return addKnownNames(list, "finding", findingNames(), func(name string) {
		r.filter.Findings = append(r.filter.Findings, kind.LintRuleName(name))
	})
}

func findingNames() (names []string) {
	for _, rule := range audit.Rules() {
		names = append(names, string(rule))
	}
	return names
}

func checkPattern(pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf("%q is not a pattern; write it like camera-*", pattern)
	}
	return nil
}

func (s *session) showKeys(ctx context.Context, r *keysRequest) error {
	report, err := s.auditKeys(ctx, r.mentionExpiryWithin)
	if err != nil {
		return err
	}
	report.Keep(r.filter)
	report.Sort(r.sortColumn)
	if s.recorder != nil {
		s.recorder.SetKeys(report)
	}
	if s.json {
		doc, err := view.NewAuditDocument(report)
		if err == nil {
			err = s.printJSON(doc)
		}
		if err != nil {
			return err
		}
	} else {
		s.textUI().Audit(report)
	}
	if denied := append(plan.CheckAccountDenyRules(s.config, s.snapshot.Account), plan.CheckDenyRules(s.config, nil)...); len(denied) > 0 {
		return denied
	}
	if r.detailedExitCode && (report.CountCredentialsWithFindings() > 0 || len(report.OwnCredentialFindings) > 0) {
		return changesPresent
	}
	return nil
}

// auditKeys reads every bucket and every key, of whatever sort.
func (s *session) auditKeys(ctx context.Context, warnExpiryWithin time.Duration) (*audit.Report, error) {
	st, err := s.readState(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.authorize(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkStateAccount(st, a); err != nil {
		return nil, err
	}
	for _, k := range s.kinds {
		for _, c := range k.ReadCapabilities {
			if k.YieldsSecret() && !a.HasCapability(c) {
				return nil, failf("Keys cannot be listed", "The credentials in use lack the capability %s. Use a key that has it.", c)
			}
		}
	}
	warnings, err := s.readLiveAndAnswerData(ctx, a, s.bucketsKeysAndDataQuery)
	if err != nil {
		return nil, err
	}
	s.ui.Diagnostics(warnings, s.sourceFiles)
	return audit.Run(audit.Request{
		Config: s.config, Kinds: s.kinds, Snapshot: s.snapshot, Entries: st.Entries, Now: s.b2Time(), ExpiresWithin: warnExpiryWithin,
	})
}

// bucketsKeysAndDataQuery is all buckets and keys, and what data blocks ask for.
func (s *session) bucketsKeysAndDataQuery() account.Query {
	want := account.QueryFor(&config.Config{DataQueries: s.config.DataQueries}, nil, s.kinds)
	for _, k := range s.kinds {
		need := want[k.Name]
		need.ListMultiBucketKeys = need.ListMultiBucketKeys || k.YieldsSecret()
		want[k.Name] = need
	}
	return want
}
