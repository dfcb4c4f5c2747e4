package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/internal/account"
	"b2form/internal/audit"
	"b2form/internal/report"
	"b2form/internal/state"
	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/folder"
	"b2form/schema/kind"
)

// driftOptions are the flags of drift.
type driftOptions struct {
	unmanagedMode string // "", "report" or "error"
	otherStates   []string
	showEdits     bool
	writeEdits    bool
}

func (p *program) driftCommand() *cli.Command {
	o := &driftOptions{}
	return p.newCommand(&cli.Command{
		Name: "drift", Usage: "Say what was changed outside of b2form",
		Description: `Compares the live account with what the last apply left, as the state knows it,
and with the configuration: settings that were changed outside of b2form and not
in the files, and objects that are gone. With -unmanaged also what is neither
declared here nor in the state, nor in one that -other-state names; the file
` + ignoreFile + ` holds names of what is left out there, one a line:

  tmp-*
  key laptop-*

Nothing is changed in B2 or in the state. -accept shows how the files would
declare what is live, where they give a setting as a literal, and -write edits
them. The rest is listed by file and line.

Example:
  b2form drift -unmanaged=error
  b2form drift -write

Exit codes:
  0  no drift
  1  an error
  2  drift, or with -unmanaged=error something that is not declared here`,
		Flags: slices.Concat(p.configFlags(), p.accountFlags(), []cli.Flag{
			&cli.StringFlag{Name: "unmanaged", Destination: &o.unmanagedMode, Validator: oneOfWords(unmanagedModes()),
				Usage: "list buckets and keys that are not declared here; `MODE` is report, or error to exit with 2 because of them"},
			listFlag("other-state", "what the state at `PLACE` owns, as in \"b2form state migrate\", counts as managed; repeatable",
				&o.otherStates),
			&cli.BoolFlag{Name: "accept", Destination: &o.showEdits, Usage: "show how the files would declare what is live"},
			&cli.BoolFlag{Name: "write", Destination: &o.writeEdits, Usage: "edit the files so that they do"},
			&cli.BoolFlag{Name: "issue", Destination: &p.driftIssue,
				Usage: "open or update an issue on GitHub, GitLab, Gitea or Forgejo, and close it once there is no drift"},
			p.planVerboseFlag(),
			p.jsonFlag("print the result as JSON"),
		}, p.brevityFlags(), p.reportFlags(), p.notifyFlags()),
		Action: func(ctx context.Context, _ *cli.Command) error {
			if p.json && (o.showEdits || o.writeEdits) {
				return failf("Invalid command line", "-json prints one document, so -accept and -write cannot be shown beside it.")
			}
			if o.otherStates != nil && o.unmanagedMode == "" {
				return failf("Invalid command line", "-other-state is about what -unmanaged lists: give that too.")
			}
			if err := p.beginReport("drift"); err != nil {
				return err
			}
			ignored, err := readIgnoreFile(p.configDir)
			if err != nil {
				return err
			}
			return p.withSession(ctx, func(ctx context.Context, s *session) error { return s.drift(ctx, o, ignored) })
		},
	})
}

func (s *session) drift(ctx context.Context, o *driftOptions, ignored ignoreList) error {
	found, err := s.findDrift(ctx, o, ignored)
	if err != nil {
		return err
	}
	code := error(nil)
	if len(found.Changes) > 0 || o.unmanagedMode == "error" && len(found.Unmanaged) > 0 {
		code = changesPresent
	}
	if err := s.showDriftAndEdits(o, found); err != nil {
		return err
	}
	if s.recorder != nil {
		recordDrift(&s.recorder.Run, found, o.unmanagedMode != "error")
	}
	return code
}

// findDrift reads the account, as a plan does. Where something is declared and there is no state, nobody knows what was applied: an
// error, so that a job that lost its state does not pass.
func (s *session) findDrift(ctx context.Context, o *driftOptions, ignored ignoreList) (*view.DriftList, error) {
	query := s.configAndStateQuery
	if o.unmanagedMode != "" {
		query = s.unmanagedQuery
	}
	warnings, err := s.readStateAndLive(ctx, query)
	if err != nil {
		return nil, err
	}
	if s.state.IsEmpty() && len(s.config.Resources) > 0 {
		return nil, s.noStateError("Without it nobody knows what was changed since; \"b2form plan\" shows how the account differs from " +
			"what is declared.")
	}
	found := &view.DriftList{}
	drift, diags := plan.FindDrift(s.defaultPlanRequest())
	if diags.HasErrors() {
		return nil, diags
	}
	found.Changes, found.Unseen = drift.Changes, drift.Unseen
	more := drift.Warnings
	if o.unmanagedMode != "" {
		r := audit.Request{Config: s.config, Kinds: s.kinds, Snapshot: s.snapshot, Entries: entriesAndIntents(s.state)}
		missing, err := s.addOtherStates(ctx, &r, o.otherStates)
		if err != nil {
			return nil, err
		}
		more = append(more, missing...)
		found.Unmanaged, found.ManagedCounts, err = audit.FindUnmanagedTopLevel(r, ignored.has)
		if err != nil {
			return nil, err
		}
		for _, note := range s.describeUnseen() {
			more = append(more, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Not everything was seen", Detail: note.Text})
		}
	}
	s.showCredentialsSource()
	s.ui.Diagnostics(slices.Concat(warnAnotherRun(s.state), warnings, more), s.sourceFiles)
	return found, nil
}

// addOtherStates adds what the states at other places own, all of them of this account. Where there is none, a warning says so.
func (s *session) addOtherStates(ctx context.Context, r *audit.Request, places []string) (missing hcl.Diagnostics, err error) {
	if len(places) == 0 {
		return nil, nil
	}
	a, err := s.authorize(ctx)
	if err != nil {
		return nil, err
	}
	for _, place := range places {
		from, err := s.parseBackend(ctx, place)
		if err != nil {
			return nil, err
		}
		other, err := from.Read(ctx)
		if err != nil {
			return nil, err
		}
		if err := checkStateAccount(other, a); err != nil {
			return nil, err
		}
		if b, ok := from.(state.BucketBackend); ok {
			r.OtherStateBuckets = append(r.OtherStateBuckets, b.BucketName)
		}
		if other.IsEmpty() {
			missing = append(missing, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "There is no other state",
				Detail: fmt.Sprintf("-other-state=%s: there is no state at %s, so nothing counts as managed because of it.",
					visible.EscapeLine(place), visible.EscapeLine(fmt.Sprint(from)))})
		}
		r.OtherEntries = append(r.OtherEntries, entriesAndIntents(other)...)
	}
	return missing, nil
}

func (s *session) defaultPlanRequest() plan.Request {
	return plan.Request{Config: s.config, Kinds: s.kinds, Snapshot: s.snapshot, Entries: s.state.Entries,
		Applied: s.lastApply(), Now: s.b2Time(), LocalClockTime: s.now()}
}

// unmanagedQuery is accountQuery with every object of the kinds that are listed.
func (s *session) unmanagedQuery() account.Query {
	want := s.configAndStateQuery()
	for _, k := range s.kinds {
		if k.ParentKind() == "" {
			need := want[k.Name]
			need.ListMultiBucketKeys = need.ListMultiBucketKeys || k.YieldsSecret()
			want[k.Name] = need
		}
	}
	return want
}

// showDriftAndEdits shows what was found, in each form that was asked for, and how to declare it.
func (s *session) showDriftAndEdits(o *driftOptions, found *view.DriftList) error {
	if s.json {
		text, err := found.JSON()
		if err == nil {
			_, err = fmt.Fprintln(s.stdout, string(text))
		}
		return err
	}
	s.textUI().Drift(found)
	if len(found.Unmanaged) > 0 && o.otherStates == nil {
		s.ui.Hint("What another folder declares for this account counts as managed with -other-state=PLACE of its state.")
	}
	switch {
	case len(found.Changes) == 0:
		return nil
	case o.showEdits || o.writeEdits:
		return s.showOrWriteDriftEdits(found.Changes, o.writeEdits)
	}
	s.ui.Hint("\"b2form apply\" undoes what was changed; \"b2form drift -accept\" shows how to declare it instead.")
	return nil
}

// recordDrift has reports show it.
func recordDrift(run *report.Run, found *view.DriftList, unmanagedListedOnly bool) {
	for i := range found.Changes {
		c := &found.Changes[i]
		one := report.Drift{Address: c.Addr.String(), Type: report.DriftChanged, Text: view.DriftText(c), Fields: c.Fields,
			Diff: view.NewChangeText(c).Diff}
		if view.IsGone(c) {
			one.Type = report.DriftGone
		}
		run.Drift = append(run.Drift, one)
	}
	for _, u := range found.Unmanaged {
		run.Drift = append(run.Drift, report.Drift{Type: report.DriftUnmanaged, Text: view.UnmanagedText(u) + " is not declared here",
			IsListedOnly: unmanagedListedOnly})
	}
	for _, c := range found.ManagedCounts {
		run.ManagedCountTexts = append(run.ManagedCountTexts, view.ManagedCountText(c))
	}
}

// ignoreFile lists what -unmanaged leaves out.
const ignoreFile = ".b2formignore"

// An ignoreList is what that file says.
type ignoreList []ignoredName

// An ignoredName is a line: a pattern of names, of one kind or of any.
type ignoredName struct{ kindName, pattern string }

func readIgnoreFile(dir string) (list ignoreList, err error) {
	if _, err := os.Lstat(path.Join(dir, ignoreFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	text, why := schema.ReadConfigFile(folder.Folder{Dir: path.Clean(dir), ModuleDir: path.Clean(dir)}, ignoreFile)
	if why != "" {
		return nil, failf("Unreadable file", "%s %s", ignoreFile, why)
	}
	for i, line := range strings.Split(string(text), "\n") {
		entry := ignoredName{pattern: strings.TrimSpace(line)}
		if entry.pattern == "" || strings.HasPrefix(entry.pattern, "#") {
			continue
		}
		if words := strings.Fields(entry.pattern); len(words) == 2 {
			entry = ignoredName{words[0], words[1]}
		}
		if err := entry.check(); err != nil {
			return nil, failf("Line not understood", "%s:%d: %s. A line is a name, such as tmp-*, in which * stands for any text; with "+
				"bucket or key before it, it is about these alone.", ignoreFile, i+1, err)
		}
		list = append(list, entry)
	}
	return list, nil
}

func (n ignoredName) check() error {
	switch {
	case strings.ContainsAny(n.pattern, " \t"):
		return fmt.Errorf("%.100q has more words than a kind and a name", n.pattern)
	case n.kindName != "" && n.kindName != "bucket" && n.kindName != "key":
		return fmt.Errorf("there is no kind %.100q whose objects are listed", n.kindName)
	}
	return checkPattern(n.pattern)
}

// has reports whether an object is left out.
func (l ignoreList) has(k *kind.Kind, name string) bool {
	return slices.ContainsFunc(l, func(n ignoredName) bool {
		return matchesIdentity(k, n.pattern, name) && (n.kindName == "" || n.kindName == k.Name)
	})
}

func unmanagedModes() []string { return []string{"report", "error"} }
