package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"b2form/internal/account"
	"b2form/internal/adopt"
	"b2form/internal/state"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// adoptOptions are the flags of adopt.
type adoptOptions struct {
	includePatterns, excludePatterns []string // patterns of names
	layout                           string
	foldMode                         string
	notificationRules                bool
	bucketFilePrefixes               []string                  // buckets, with a slash and a prefix of names
	writeBeside                      func() (written []string) // what goes with the configuration; nil: nothing
}

func (p *program) adoptCommand() *cli.Command {
	o := &adoptOptions{}
	return p.newCommand(&cli.Command{
		Name: "adopt", Usage: "Write configuration for what the account holds", ArgsUsage: "[DIR]",
		Description: `Writes *.b2.hcl files for every bucket, every key and every notification rule
that nothing in the folder declares, and import blocks that take them over. What
was written is planned, to make sure that it changes nothing. Nothing is changed
in B2, and no file is replaced: run again, it writes what is new.

Files are data, and written down only where -files asks for them. What they hold
is downloaded to files/BUCKET/NAME.

Secrets of notification rules become variables without a value. What B2 does not
tell, such as the secrets of keys, is not asked for.

Example:
  b2form adopt
  b2form adopt -layout=bucket -exclude='tmp-*' acme
  b2form adopt -files=acme-site/css/

` + exitCodes,
		Flags: slices.Concat(p.accountFlags(), []cli.Flag{
			patternFlag("include", "only buckets and keys whose name is `PATTERN`, in which * stands for any text; repeatable",
				&o.includePatterns),
			patternFlag("exclude", "no buckets and keys whose name is `PATTERN`; repeatable", &o.excludePatterns),
			&cli.StringFlag{Name: "layout", Value: string(adopt.OneFile), Destination: &o.layout, Validator: oneOfWords(adopt.Layouts()),
				Usage: "a file for everything (one), for each `LAYOUT`: kind, or bucket"},
			&cli.StringFlag{Name: "fold", Value: "auto", Destination: &o.foldMode, Validator: oneOfWords([]string{"auto", "never"}),
				Usage: "with `never`, one block for each object, also where names and settings are alike"},
			&cli.BoolFlag{Name: "notification-rules", Value: true, Destination: &o.notificationRules,
				Usage: "with `false`, do not ask for the rules of each bucket, which costs a request"},
			listFlag("files", "also the files of a bucket whose names begin with the prefix in `BUCKET/PREFIX`; repeatable",
				&o.bucketFilePrefixes),
		}),
		Action: func(ctx context.Context, c *cli.Command) error {
			if n := c.Args().Len(); n > 1 {
				return failf("Too many arguments", "adopt takes one folder, and here are %d words.", n)
			}
			return p.adopt(ctx, o, c.Args().First())
		},
	})
}

func patternFlag(name, usage string, to *[]string) cli.Flag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: funcFlag{func(s string) error {
		*to = append(*to, s)
		return checkPattern(s)
	}}}
}

func oneOfWords(list []string) func(string) error {
	return func(s string) error {
		if !slices.Contains(list, s) {
			return fmt.Errorf("%q is none of %s", s, strings.Join(list, ", "))
		}
		return nil
	}
}

// wanted reports whether the patterns ask for an object.
func (o *adoptOptions) wanted(k *kind.Kind, _, name string) bool {
	matches := func(pattern string) bool { return matchesIdentity(k, pattern, name) }
	return (len(o.includePatterns) == 0 || slices.ContainsFunc(o.includePatterns, matches)) &&
		!slices.ContainsFunc(o.excludePatterns, matches)
}

// matchesIdentity reports whether a pattern, as [path.Match] has them, fits the identity of an object: in any letter case where that
// does not count.
func matchesIdentity(k *kind.Kind, pattern, identity string) bool {
	ok, _ := path.Match(k.NormalizeIdentity(pattern), identity)
	return ok
}

// adopt works in the folder, which is made if there is none.
func (p *program) adopt(ctx context.Context, o *adoptOptions, dir string) (err error) {
	ctx, stop := p.withInterrupt(ctx)
	defer stop()
	leave, err := p.makeAndEnterFolder(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, leave()) }()
	p.allowNoConfig = true
	s := &session{program: p, kinds: schema.Kinds()}
	if err := s.loadConfigAllowingUnset(nil); err != nil {
		return err
	}
	if err := s.prepareClientOrEmulator(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stopLocalB2()) }()
	s.showCredentialsSource()
	st, err := s.readState(ctx)
	if err != nil {
		return err
	}
	notes, err := s.readSnapshotToAdopt(ctx, st, o)
	if err != nil {
		return err
	}
	request := adopt.Request{
		Kinds: s.kinds, Snapshot: s.snapshot, Config: s.config, Entries: st.Entries, Wanted: o.wanted,
		NamedExactly: func(name string) bool { return slices.Contains(o.includePatterns, name) }, Now: s.b2Time(),
		Layout: adopt.Layout(o.layout), FoldFamilies: o.foldMode != "never", Notes: notes,
	}
	fetched, err := s.fetchFiles(ctx, &request, o.bucketFilePrefixes)
	defer func() { err = errors.Join(err, fetched.closeRemovingIfFailed(err != nil)) }()
	if err != nil {
		return err
	}
	result, err := adopt.ConfigForLiveObjects(request)
	if err != nil {
		return err
	}
	more := len(s.config.Resources)+len(s.config.AddrsWithUnknownInstances) > 0
	hadMore := hasConfiguration() || len(st.Entries)+len(st.OpenIntents) > 0
	written, err := s.writeAndCheckConfig(result, st)
	if err != nil {
		return err
	}
	if o.writeBeside != nil && len(written) > 0 {
		written = append(written, o.writeBeside()...)
	}
	s.reportAdopted(o, result, written, more)
	if len(written) == 0 {
		return nil
	}
	besides := ""
	if hadMore {
		besides = s.describePlanBesidesImports(ctx, result, st)
	}
	s.reportNextStep(result, besides)
	return nil
}

// makeAndEnterFolder goes into a folder, which is made if there is none, and gives what goes back.
// Going back removes the folders that were made, if nothing was written there.
func (p *program) makeAndEnterFolder(dir string) (leaveAndRemoveEmpty func() error, err error) {
	if dir == "" {
		return func() error { return nil }, nil
	}
	back, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	made := missingFolders(dir)
	remove := func() {
		for _, folder := range made {
			_ = os.Remove(folder) // fails where something is in it, as it should
		}
	}
	if err = os.MkdirAll(dir, 0o755); err == nil {
		err = p.chdir(dir)
	}
	if err != nil {
		remove()
		return nil, failf("Folder cannot be entered", "%s: %s. Give a folder that exists, or whose name is free.", dir,
			words.ErrorWithoutPath(err))
	}
	return func() error {
		if err := p.chdir(back); err != nil {
			return err
		}
		remove()
		return nil
	}, nil
}

// missingFolders are the folders on the way to dir that do not exist, the innermost first.
func missingFolders(dir string) (folders []string) {
	for dir != "" {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		folders = append(folders, dir)
		parent, _ := filepath.Split(withoutLastSeparators(dir))
		dir = withoutLastSeparators(parent)
	}
	return folders
}

func withoutLastSeparators(path string) string {
	for path != "" && os.IsPathSeparator(path[len(path)-1]) {
		path = path[:len(path)-1]
	}
	return path
}

// loadConfigAllowingUnset reads what is declared already. Variables need no values.
func (s *session) loadConfigAllowingUnset(snapshot *kind.Snapshot, values ...schema.VariableValue) error {
	o := s.schemaOptions(s.kinds)
	o.AllowUnsetVariables, o.Ask, o.Snapshot = true, nil, snapshot
	o.Vars = append(slices.Clip(o.Vars), values...)
	c, diags := schema.Load(o)
	s.sourceFiles = c.Files
	if diags.HasErrors() {
		return diags
	}
	s.config = c
	return nil
}

// readSnapshotToAdopt reads everything that may be written down, and says what could not be seen.
func (s *session) readSnapshotToAdopt(ctx context.Context, st *state.State, o *adoptOptions) (notes []adopt.OmissionNote, err error) {
	a, err := s.authorize(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkStateAccount(st, a); err != nil {
		return nil, err
	}
	if s.snapshot, err = account.ReadSnapshot(ctx, s.client, a, s.kinds, s.bucketsKeysAndDataQuery(), account.RecentEntries{}); err != nil {
		return nil, err
	}
	s.clockAhead = s.client.ProvenServiceClockAhead()
	s.snapshot.DropExpired(s.b2Time())
	if len(s.config.DataQueries) > 0 {
		if err := s.loadConfigAllowingUnset(s.snapshot); err != nil {
			return nil, err
		}
	}
	children, err := s.readNotificationRules(ctx, o)
	return append(s.describeUnseen(), children...), err
}

// readNotificationRules reads what is part of buckets and was asked for: one request for each.
func (s *session) readNotificationRules(ctx context.Context, o *adoptOptions) (notes []adopt.OmissionNote, err error) {
	for _, k := range s.kinds {
		if k.ParentKind() == "" || k.ScopeAttr() != "" {
			continue
		}
		if !o.notificationRules {
			notes = append(notes, adopt.OmissionNote{Text: fmt.Sprintf("The %s were not asked for, as -notification-rules=false says.",
				k.Plural)})
			continue
		}
		var need account.KindQuery
		parent := kind.FindKind(s.kinds, k.ParentKind())
		for _, object := range s.snapshot.AllRead(parent) {
			if o.wanted(parent, object.ID, object.Identity) {
				need.WantedIdentities = append(need.WantedIdentities, object.Identity)
			}
		}
		if _, err := account.ReadMoreChildren(ctx, s.client, s.kinds, account.Query{k.Name: need}, s.snapshot); err != nil {
			return nil, err
		}
	}
	return notes, nil
}

// describeUnseen says what the credentials may not see.
func (s *session) describeUnseen() (notes []adopt.OmissionNote) {
	a := s.snapshot.Account
	for _, k := range s.kinds {
		if k.ScopeAttr() != "" {
			continue
		}
		if missing := missingCapabilities(a, k.ReadCapabilities...); len(missing) > 0 {
			notes = append(notes, adopt.OmissionNote{Text: fmt.Sprintf("The credentials lack %s, so the %s were not seen.",
				words.JoinAnd(missing),
				k.Plural)})
			continue
		}
		if text := describeUnseenSettings(a, k); text != "" {
			notes = append(notes, adopt.OmissionNote{KindName: k.Name, Text: text})
		}
	}
	if a.AllowedBuckets != nil {
		notes = append(notes, adopt.OmissionNote{Text: "The credentials are limited to " + words.Count(len(a.AllowedBuckets), "bucket",
			"buckets") +
			", so no others were seen."})
	}
	return notes
}

// describeUnseenSettings says which settings of a kind the credentials may not see, and which of these a plan with
// other credentials would take for unwanted; "": they see all.
func describeUnseenSettings(a *wire.Account, k *kind.Kind) string {
	var unseen, endangered, missing []string
	for _, at := range k.Attrs {
		lacks := missingCapabilities(a, at.ReadCapability)
		if len(lacks) == 0 {
			continue
		}
		missing = append(missing, lacks...)
		unseen = append(unseen, at.Name)
		if !at.KeepLive {
			endangered = append(endangered, at.Name)
		}
	}
	if len(unseen) == 0 {
		return ""
	}
	slices.Sort(missing)
	text := fmt.Sprintf("Not seen: %s of %s, since the credentials lack %s.", words.JoinAnd(unseen), k.Plural,
		words.JoinAnd(slices.Compact(missing)))
	if len(endangered) > 0 {
		text += fmt.Sprintf(" A plan with other credentials would take away %s where no block declares them: declare them first.",
			words.JoinAnd(endangered))
	}
	return text
}

// missingCapabilities are those of the names that credentials lack, each once.
func missingCapabilities(a *wire.Account, names ...string) (missing []string) {
	for _, name := range names {
		if name != "" && !a.HasCapability(name) && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}
	return missing
}

// writeAndCheckConfig writes the files, and removes them again where what they say is not
// exactly what is live. It gives their names.
func (s *session) writeAndCheckConfig(r *adopt.Result, st *state.State) (written []string, err error) {
	defer func() {
		if err != nil {
			for _, name := range written {
				err = errors.Join(err, removalErrorIfAny(name, os.Remove(name)))
			}
		}
	}()
	for _, f := range r.Files {
		name, err := writeUnderFreeName(f.NameWithoutSuffix, adopt.Suffix, f.Text)
		if err != nil {
			return written, err
		}
		written = append(written, name)
	}
	if len(written) == 0 {
		return nil, nil
	}
	return written, s.checkPlanOnlyImports(r, st)
}

// writeUnderFreeName writes a file under the first name that is free: main.b2.hcl, main-2.b2.hcl.
func writeUnderFreeName(name, suffix, text string) (writtenName string, err error) {
	for n := 1; ; n++ {
		full := name + suffix
		if n > 1 {
			full = fmt.Sprintf("%s-%d%s", name, n, suffix)
		}
		switch err := writeNewFile(full, text); {
		case errors.Is(err, fs.ErrExist) && n < 1000:
		case err != nil:
			return "", failf("A file cannot be written", "%s: %s. Nothing was kept. Make the folder writable, or use another one.", full,
				words.ErrorWithoutPath(err))
		default:
			return full, nil
		}
	}
}

// writeNewFile writes a file that is not there yet, whole or not at all. The error is
// fs.ErrExist where there is one.
func writeNewFile(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, removalErrorIfAny(path, os.Remove(path)))
	}
	return nil
}

// removalErrorIfAny says that a file could not be removed again; nil: it was.
func removalErrorIfAny(name string, err error) error {
	if err == nil {
		return nil
	}
	return failf("A file was left", "%s cannot be removed again: %s. Remove it by hand.", visible.EscapeLine(name),
		words.ErrorWithoutPath(err))
}

// areAllFilteredOut reports whether something is live and patterns ask for none of it.
func (s *session) areAllFilteredOut(o *adoptOptions) bool {
	live := false
	for _, k := range s.kinds {
		if k.ParentKind() != "" {
			continue
		}
		for _, object := range s.snapshot.AllRead(k) {
			live = true
			if o.wanted(k, object.ID, object.Identity) {
				return false
			}
		}
	}
	return live
}

// reportAdopted says what was written, what was not, and what to do next.
func (s *session) reportAdopted(o *adoptOptions, r *adopt.Result, written []string, hadResources bool) {
	var counts []string
	total := 0
	for _, c := range r.WrittenCounts {
		count := words.Count(c.ObjectsWritten, c.Kind.Name, c.Kind.Plural)
		if c.Kind.ParentKind() != "" && c.Kind.ScopeAttr() == "" {
			count = c.Kind.Plural + " of " + words.Count(c.ObjectsWritten, c.Kind.ParentKind(), c.Kind.ParentKind()+"s")
		}
		counts = append(counts, count)
		total += c.ObjectsWritten
	}
	switch {
	case total == 0 && s.areAllFilteredOut(o):
		s.printResult("There is nothing to write down: of what these credentials see, no bucket and no key fits -include and -exclude.")
	case total == 0 && len(r.Undeclarable)+len(r.OwnedUndeclared) > 0:
		s.printResult("Nothing was written: what is not declared here is in the state already, or listed below with the reason.")
	case total == 0 && hadResources:
		s.printResult("Everything that these credentials see is declared here already.")
	case total == 0:
		s.printResult("There is nothing to write down: these credentials see no bucket and no key.")
	case hadResources:
		s.printResult("%s %s new. Wrote %s.", words.JoinAnd(counts), map[bool]string{true: "is", false: "are"}[total == 1],
			words.JoinAnd(written))
	default:
		s.printResult("Wrote %s: %s.", words.JoinAnd(written), words.JoinAnd(counts))
	}
	for _, l := range r.Undeclarable {
		s.printResult("%s", visible.EscapeLine(fmt.Sprintf("Not declared: %s %s, since %s", l.Kind, wire.QuoteB2Text(l.Name), l.Reason)))
	}
	for _, a := range r.OwnedUndeclared {
		s.printResult("Not declared: %s, which the state owns and no block declares any more. \"b2form plan\" says what becomes of it.", a)
	}
	if len(r.BlocksOfUnknownName) > 0 && total > 0 {
		s.printResult("The instances or names of %s are not known, since variables have no value: what they declare may be among what was "+
			"written. With values, \"b2form plan\" refuses what is declared twice.",
			words.JoinAtMost(addr.Strings(r.BlocksOfUnknownName), 5))
	}
	for _, n := range r.Notes {
		s.printResult("%s", n.Text)
	}
	s.warnUnknownSettings(r.UnknownSettings)
}

// reportNextStep says what the plan of what was written is, and what to do next. besides is what
// [session.describeWholePlan] gives.
func (s *session) reportNextStep(r *adopt.Result, besidesImports string) {
	hint := "Next: \"b2form plan\" shows it, and \"b2form apply\" takes over what exists, without changing anything in B2."
	if besidesImports == "" {
		s.printResult("The plan is %d to import and nothing else.", len(r.Addrs))
	} else {
		s.printResult("What was written is %d to import. %s", len(r.Addrs), besidesImports)
		hint = "Next: look at all of \"b2form plan\"; \"b2form apply\" does all of it."
	}
	if slices.ContainsFunc(r.WrittenCounts, func(c adopt.WrittenCount) bool { return c.Kind.Content != nil }) {
		s.printResult("What the files hold is in the folder %s.", adopt.ContentFolder)
	}
	if len(r.HiddenValues) > 0 {
		hint += fmt.Sprintf(" It asks for %s, in place of secrets of notification rules.",
			words.Count(len(r.HiddenValues), "variable", "variables"))
	}
	s.ui.Hint(hint)
}
