package main

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/internal/planfile"
	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/wire"
)

func (o *runOptions) outFlag() cli.Flag {
	return &cli.StringFlag{Name: "out", Destination: &o.outPath,
		Usage: "save the plan to `FILE`, for \"b2form apply FILE\"; it holds no secret"}
}

// checkOutOption refuses -out where it makes no sense, before anything is read.
func (p *program) checkOutOption(o *runOptions) error {
	switch {
	case o.outPath == "":
		return nil
	case o.showCapabilities:
		return failf("Invalid command line", "-capabilities prints a key block and no plan, so there is nothing that -out could save.")
	case p.jsonIntoPath != "" && secret.FindSameFile(o.outPath, []string{p.jsonIntoPath}) != "":
		return failf("Invalid command line", "-out and -json-into name the same file. Give one of them another name.")
	}
	if err := checkPathNotReserved("-out", o.outPath, defaultStatePaths()); err != nil {
		return err
	}
	return planfile.CheckWritable(o.outPath)
}

// defaultStatePaths are the files of states where no configuration says otherwise.
func defaultStatePaths() []string {
	return append(state.LocalFile{Path: stateFile}.FilePaths(), state.LocalFile{Path: filepath.Join(emulatorFolder,
		stateFile)}.FilePaths()...)
}

// checkPathNotReserved refuses to write to a file that b2form reads as something else. option names it.
func checkPathNotReserved(option, path string, statePaths []string) error {
	if why := whyPathReserved(path, statePaths); why != "" {
		return failf("File cannot be written", "%s=%s: %s. Give another name.", option, visible.EscapeLine(path), why)
	}
	return nil
}

// whyPathReserved says as what else b2form reads a file; "": it does not.
func whyPathReserved(path string, statePaths []string) string {
	switch {
	case schema.IsConfigOrValueFile(path):
		return "b2form reads files of such names as configuration"
	case secret.FindSameFile(path, statePaths) != "":
		return "it belongs to the state"
	}
	return ""
}

// useSavedPlan makes apply carry out a plan that was saved, and nothing else.
func (p *program) useSavedPlan(path string, o *runOptions) error {
	var given []string
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"-target", o.target != nil}, {"-exclude", o.exclude != nil}, {"-replace", o.replace != nil}, {"-destroy", o.destroy},
		{"-refresh-only", o.refreshOnly}, {"-adopt", o.allowImports}, {"-allow", o.allowedHazards != nil},
	} {
		if f.given {
			given = append(given, f.name)
		}
	}
	if given != nil {
		return failf("A saved plan says what is done",
			"%s cannot be combined with a saved plan, which holds what was planned and approves "+
				"the hazards and imports in it. Leave out %s, or make another plan with \"b2form plan -out=FILE\".", words.JoinAnd(given),
			words.JoinAnd(given))
	}
	f, m, err := readSavedPlan(path)
	if err != nil {
		return err
	}
	o.destroy, o.refreshOnly = m == view.Destroying, m == view.Refreshing
	if o.expectedDigest != nil && *o.expectedDigest != savedDigest(f) {
		return failf("The saved plan is not the expected one", "It has the digest %s, and -expect gives %s. Nothing was changed.",
			savedDigest(f), *o.expectedDigest)
	}
	o.target, o.exclude, o.replace = f.Target, f.Exclude, f.Replace
	p.savedPlan = f
	return nil
}

// readSavedPlan reads a plan from a file, and what it is for.
func readSavedPlan(path string) (*planfile.File, view.PlanPurpose, error) {
	f, err := planfile.Read(path, schema.Kinds())
	if err != nil {
		return nil, 0, err
	}
	for _, m := range []view.PlanPurpose{view.Planning, view.Destroying, view.Refreshing} {
		if f.CommandToApply == m.ApplyingCommandWithFlags() {
			return f, m, nil
		}
	}
	return nil, 0, failf("The plan cannot be carried out", "It was saved for the command %q, which this b2form does not know.",
		f.CommandToApply)
}

// savedDigest is what the plan in a file can be approved by.
func savedDigest(f *planfile.File) plan.Digest {
	d := plan.Digest{Basis: basisWithContents(f.Plan.Basis, f.DestroyedContentsDescriptions)}
	if f.Plan.Salted {
		d.Salt = f.Salt
	}
	return d
}

// checkSavedConfig refuses another configuration than the saved plan was made from.
func (p *program) checkSavedConfig(digest string) error {
	if digest == p.savedPlan.ConfigDigest {
		return nil
	}
	return failf("The plan was made from another configuration", "The configuration in this folder says something else than the one "+
		"that the plan was saved from; comments, layout and names of files do not count. Nothing was changed. Go to the folder and the "+
		"revision of the plan, or make a new one.")
}

// checkSavedAccount refuses another account than that of the saved plan.
func (p *program) checkSavedAccount(id, realm string) error {
	if p.savedPlan == nil {
		return nil
	}
	of := p.savedPlan.Plan.SavedForm
	if of.AccountID == id && of.Realm == realm {
		return nil
	}
	advice := "Use the credentials of that account, or make a new plan."
	if of.Realm == emulatorRealm {
		advice = "It was made with -emulator: give that to apply too."
	}
	return failf("The plan is for another account", "It was made for account %s at %s, and the credentials are those of account %s at %s. "+
		"Nothing was changed. %s", of.AccountID, of.Realm, id, realm, advice)
}

// checkSavedSensitiveVariables refuses other values of sensitive variables than the saved plan was made with.
func (s *session) checkSavedSensitiveVariables() error {
	if s.savedPlan == nil {
		return nil
	}
	hash, err := s.sensitiveVariablesHash()
	if err != nil || hash == s.savedPlan.SensitiveHash {
		return err
	}
	also := ""
	if s.saltFromEnv {
		also = " Or B2FORM_DIGEST_KEY is not the one that the plan was made with."
	}
	return failf("Other sensitive values than in the saved plan",
		"Of the sensitive variables (%s) at least one has another value than the "+
			"plan was made with. Nothing was changed. Sensitive values are not in a saved plan: give the same again, with -var-file, in "+
			"a value file or in the environment.%s", words.JoinAtMost(prefixed("var.", s.sensitiveVariableNames()), 10), also)
}

func prefixed(prefix string, names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = prefix + name
	}
	return out
}

// sensitiveVariablesHash stands for the values of all sensitive variables; "": there are none.
func (s *session) sensitiveVariablesHash() (string, error) {
	if len(s.config.SensitiveVariables) == 0 {
		return "", nil
	}
	texts := []string{"variables"} // unlike the hidden values of a plan
	for _, name := range s.sensitiveVariableNames() {
		text, err := ctyjson.Marshal(s.config.SensitiveVariables[name], cty.DynamicPseudoType)
		if err != nil {
			return "", err
		}
		texts = append(texts, name, string(text))
	}
	return s.slowHash(texts, s.planDigestSalt)
}

func (s *session) sensitiveVariableNames() []string {
	return slices.Sorted(maps.Keys(s.config.SensitiveVariables))
}

// savePlan saves a plan that was shown, and says how it is carried out.
func (s *session) savePlan(made *plan.Plan, m view.PlanPurpose) error {
	hash, err := s.sensitiveVariablesHash()
	if err != nil {
		return err
	}
	f := &planfile.File{
		ProgramVersion: version, CommandToApply: m.ApplyingCommandWithFlags(), Target: s.runOptions.target, Exclude: s.runOptions.exclude,
		Replace: s.runOptions.replace, State: s.stateIfSeveral(),
		ConfigDigest: schema.MeaningDigest(s.config.FilesWithoutPolicyDirs()), NonsensitiveVariables: s.config.NonsensitiveVariables,
		SensitiveVariableNames: s.sensitiveVariableNames(), SensitiveHash: hash, DestroyedContentsDescriptions: s.destroyed,
		Plan: made,
	}
	if f.PlanContextJSON, err = s.planContext(made); err != nil {
		return err
	}
	switch {
	case !made.Salted && hash == "":
	case s.saltFromEnv:
		f.SaltNotInFile = true
	default:
		f.Salt = hex.EncodeToString(s.planDigestSalt)
	}
	if err := planfile.Write(s.runOptions.outPath, f); err != nil {
		return err
	}
	s.ui.Note("Saved the plan to: " + s.runOptions.outPath)
	command := "b2form apply"
	if s.useEmulator {
		command += " -emulator"
	}
	s.ui.Hint(fmt.Sprintf("To perform exactly these actions, run the following command to apply:\n    %s %q", command,
		s.runOptions.outPath))
	return nil
}

// contentsDifferences says where something else would be deleted than what was counted for the plan that was approved, which approvedHas
// names: who approved the loss of so much approved that and no more. "Nobody knows" approves whatever is there.
func contentsDifferences(approved, now []planfile.DestroyedContents, approvedHas string) (differ []string) {
	now = slices.Clone(now)
	for _, d := range approved {
		is := "not counted"
		if i := slices.IndexFunc(now, func(n planfile.DestroyedContents) bool { return n.Addr == d.Addr }); i >= 0 {
			is = now[i].Text
			now = slices.Delete(now, i, i+1)
			if d.Text == is || d.Text == (wire.ContentsCount{ListingDenied: true}).String() {
				continue
			}
		}
		differ = append(differ, fmt.Sprintf("%s: what would be deleted with it: %s; %s: %s", d.Addr, is, approvedHas,
			visible.EscapeTruncated(d.Text, 100)))
	}
	for _, d := range now {
		differ = append(differ, fmt.Sprintf("%s: what would be deleted with it: %s; %s: not counted", d.Addr, d.Text, approvedHas))
	}
	return differ
}

// atMostDifferences are the first differences, and how many more there are.
func atMostDifferences(all []string) []string {
	const most = 20
	if more := len(all) - most; more > 0 {
		return append(all[:most:most], fmt.Sprintf("and %d more", more))
	}
	return all
}

// checkSavedPlan refuses a plan that is not the saved one.
func (s *session) checkSavedPlan(now *plan.Plan) error {
	if s.savedPlan == nil {
		return nil
	}
	differ := contentsDifferences(s.savedPlan.DestroyedContentsDescriptions, s.destroyed, "the saved plan has")
	switch {
	case now.Basis != s.savedPlan.Plan.Basis:
		differ = s.savedPlan.Plan.SavedForm.Differences(now.SavedForm)
	case len(differ) == 0:
		return nil
	}
	advice := "Make a new plan, and have it approved."
	if was := s.savedPlan.ProgramVersion; was != version {
		advice = fmt.Sprintf("The plan was saved by b2form %s, and this is %s. %s", visible.EscapeTruncated(was, 40), version, advice)
	}
	return failf("The saved plan cannot be carried out any more", "The plan above is that of now, and nothing was changed. What differs:\n"+
		"  %s\n%s", cmp.Or(strings.Join(atMostDifferences(differ), "\n  "), "the form of the plan"), advice)
}
