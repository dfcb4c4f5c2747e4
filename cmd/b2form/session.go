package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/account"
	"b2form/internal/b2"
	"b2form/internal/planfile"
	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/parse"
	"b2form/schema/wire"
)

// A session is the way from files to a plan: what is wanted, what is ours, what
// is live.
type session struct {
	*program
	kinds      []*kind.Kind
	config     *config.Config
	state      *state.State
	localB2    *localB2 // nil: B2 itself
	client     *b2.Client
	snapshot   *kind.Snapshot
	runOptions runOptions    // of plan, apply, destroy and rotate
	readStart  time.Time     // before the snapshot was read, by B2's clock
	clockAhead time.Duration // by how much B2's clock is ahead of ours

	cannotAsk      error  // why a plan with changes cannot be approved; nil: somebody can be asked
	planDigestSalt []byte // what hidden values are hashed with
	saltFromEnv    bool   // it came from the environment and is not shown
	newAppliedSalt string // of a state that has none yet

	undeletable []undeletableObject          // what the plan would delete and cannot
	destroyed   []planfile.DestroyedContents // what goes with objects that the plan destroys, as it was counted last

	foreignFiles map[string]bool // as the plan was made with them; see plan.Request
	isForeign    func(config.Delivery) bool

	warnedUnreadStateFile bool
}

// b2Time is what B2's clock shows, as far as its replies tell.
func (s *session) b2Time() time.Time { return s.now().Add(s.clockAhead) }

// openSession loads the configuration and makes the client ready, without asking B2
// for anything. A program that gives out credentials ends with ctx. The session must be
// closed.
func (p *program) openSession(ctx context.Context) (*session, error) {
	s := &session{program: p, kinds: schema.Kinds()}
	var err error
	if s.config, err = p.loadConfig(s.kinds); err != nil {
		return nil, err
	}
	if p.recorder != nil {
		p.recorder.Locate = s.blockRange
	}
	if err := s.prepareClientOrEmulator(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// withSession opens a session, does something with it until an interrupt, and closes it.
func (p *program) withSession(ctx context.Context, do func(context.Context, *session) error) (err error) {
	ctx, stop := p.withInterrupt(ctx)
	defer stop()
	s, err := p.openSession(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stopLocalB2()) }()
	return do(ctx, s)
}

// openSessionWithoutConfig is openSession of a command that needs no configuration.
func (p *program) openSessionWithoutConfig(ctx context.Context) (*session, error) {
	s := &session{program: p, kinds: schema.Kinds(), config: &config.Config{}}
	if err := s.prepareClientOrEmulator(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// prepareClientOrEmulator makes the client ready.
func (s *session) prepareClientOrEmulator(ctx context.Context) (err error) {
	if s.testAccount != nil {
		s.localB2 = s.testAccount
		s.localB2.redirectDeliveries(s.config)
	} else if s.useEmulator {
		if s.endpoint != "" || s.profile != "" {
			return failf("Two accounts to choose from", "-emulator works on the emulator; -endpoint names a service and -profile "+
				"credentials for one. Give one of them.")
		}
		if s.localB2, err = s.openLocalB2(); err != nil {
			return err
		}
		s.localB2.redirectDeliveries(s.config)
		s.ui.Note("Working on the emulator in " + emulatorFolder + ": nothing real is touched.\n")
	}
	if s.client, err = s.newClient(ctx); err != nil {
		return errors.Join(err, s.stopLocalB2())
	}
	return nil
}

// setRunOptions gives the session the options of its command.
func (s *session) setRunOptions(o *runOptions) error {
	s.runOptions = *o
	if local, ok := s.backend().(state.LocalFile); ok {
		if err := checkPathNotReserved("-out", o.outPath, local.FilePaths()); o.outPath != "" && err != nil {
			return err
		}
	}
	if o.expectedDigest == nil && !o.needsDigest && s.savedPlan == nil {
		return nil
	}
	if err := s.choosePlanDigestSalt(); err != nil {
		return err
	}
	return s.checkSavedSensitiveVariables()
}

func (s *session) stopLocalB2() error {
	if s.localB2 == nil || s.localB2 == s.testAccount {
		return nil
	}
	return s.localB2.close()
}

// loadConfig reads the configuration and shows what is to be said about it.
func (p *program) loadConfig(kinds []*kind.Kind) (*config.Config, error) {
	end := p.beginPhase("read the configuration", "Reading the configuration")
	config, diags := schema.Load(p.schemaOptions(kinds))
	end()
	p.sourceFiles = config.Files
	if state := (&session{program: p, config: config}).stateIfSeveral(); state != "" {
		p.ui.State(state)
	}
	if p.savedPlan != nil {
		if err := p.checkSavedConfig(schema.MeaningDigest(config.FilesWithoutPolicyDirs())); err != nil {
			return nil, err
		}
	}
	if diags.HasErrors() {
		p.ui.Diagnostics(diags, p.sourceFiles)
		return nil, exitCode(1)
	}
	diags = p.withholdWarningsWhenSet(diags)
	if len(config.DataQueries) == 0 { // else it is evaluated again, and says the same
		p.ui.Diagnostics(diags, p.sourceFiles)
	}
	return config, nil
}

// mostDataRounds bounds how often an answer of data may lead to the next question.
const mostDataRounds = 20

// authorize asks B2 whose the credentials are, and refuses those of another account than the configuration is for.
func (s *session) authorize(ctx context.Context) (*wire.Account, error) {
	a, err := s.client.Authorize(ctx)
	if err != nil {
		return nil, err
	}
	if wrong := plan.CheckAccount(s.config, a); wrong != nil {
		return nil, hcl.Diagnostics{wrong}
	}
	return a, nil
}

// readLiveAndAnswerData reads what is live and answers data blocks. What they answer may name more
// to be read live, as the bucket of a file.
func (s *session) readLiveAndAnswerData(ctx context.Context, a *wire.Account, wanted func() account.Query) (hcl.Diagnostics, error) {
	var err error
	s.clockAhead = s.client.ProvenServiceClockAhead()
	if s.snapshot, err = account.ReadSnapshot(ctx, s.client, a, s.kinds, wanted(), s.recentEntries()); err != nil {
		return nil, err
	}
	s.clockAhead = s.client.ProvenServiceClockAhead()
	s.snapshot.DropExpired(s.b2Time())
	return s.answerData(ctx, s.schemaOptions(s.kinds), wanted)
}

// readStateAndLive reads the state, which must be one of the account, and then as readLiveAndAnswerData does.
func (s *session) readStateAndLive(ctx context.Context, wanted func() account.Query) (warnings hcl.Diagnostics, err error) {
	if s.state, err = s.readState(ctx); err != nil {
		return nil, err
	}
	a, err := s.authorize(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkStateAccount(s.state, a); err != nil {
		return nil, err
	}
	return s.readLiveAndAnswerData(ctx, a, wanted)
}

// recentEntries are the entries of the state, if that was read, whose objects a listing may not show as they are. Whoever
// waits for them is told so.
func (s *session) recentEntries() account.RecentEntries {
	recent := account.RecentEntries{Sleep: s.sleep, OnWait: func(late []addr.Addr) (end func()) {
		text := late[0].String()
		if more := len(late) - 1; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		return s.beginPhase("wait for listings", "Waiting until B2 shows what was made or changed moments ago: "+text)
	}}
	if s.state == nil {
		return recent
	}
	now := s.b2Time()
	for _, e := range s.state.Entries {
		if e.MayBeUnlisted(now) {
			recent.Made = append(recent.Made, e)
		}
	}
	recent.NotAsLeft = func(live *kind.Snapshot) []addr.StateEntry {
		return plan.MaybeShownAsBefore(s.state.Applied.Salt, s.config, live, s.state.Entries, now)
	}
	return recent
}

// answerData answers the data blocks of the configuration, which o loads again, with what is live, and
// reads what the answers name besides. Warnings are given back; mistakes in the configuration are
// hcl.Diagnostics.
func (s *session) answerData(ctx context.Context, o schema.Options, wanted func() account.Query) (warnings hcl.Diagnostics, err error) {
	for range mostDataRounds {
		warnings, err := s.reloadConfigWithData(o)
		if err != nil || len(s.config.DataQueries) == 0 {
			return warnings, err
		}
		more, err := account.ReadMoreChildren(ctx, s.client, s.kinds, wanted(), s.snapshot)
		if err != nil || !more {
			return warnings, err
		}
	}
	return nil, errDataNeverEnds()
}

func errDataNeverEnds() error {
	return failf("Data blocks never come to an end",
		"What data blocks answer leads to further questions again and again. Let them refer to each other in fewer steps.")
}

// configAndStateQuery is what a plan needs to know.
func (s *session) configAndStateQuery() account.Query {
	s.addCommandLineImport()
	query := account.QueryFor(s.config, entriesAndIntents(s.state), s.kinds)
	for _, i := range s.state.OpenIntents {
		if i.MultiBucket {
			query.AddMultiBucket(i.Addr.Kind)
		}
	}
	return query
}

// reloadConfigWithData evaluates the configuration again where data blocks ask for what is
// live: only now has that been read. Warnings are given back.
func (s *session) reloadConfigWithData(o schema.Options) (warnings hcl.Diagnostics, err error) {
	if len(s.config.DataQueries) == 0 {
		return nil, nil
	}
	o.Snapshot = s.snapshot
	diags, err := s.loadHidingSensitive(o)
	if err != nil {
		return nil, err
	}
	if s.localB2 != nil {
		s.localB2.redirectDeliveries(s.config)
	}
	return s.withholdWarningsWhenSet(diags), nil
}

func (p *program) schemaOptions(kinds []*kind.Kind) schema.Options {
	o := schema.Options{Dir: p.configDir, Kinds: kinds, Version: version, Cwd: p.startDir, Vars: p.vars,
		AccountDataIfNoConfig:  p.allowNoConfig,
		AllowUndeclaredImports: p.allowImportsOfUndeclared, PolicyDirs: p.policyFolders(), MaxEvaluationSteps: p.maxEvaluationSteps(),
		FilesRoot: cmp.Or(p.filesRoot, p.getenv("B2FORM_ROOT")), HomeExcludedAsRoot: p.homeDir()}
	for _, prefix := range []string{"TF_VAR_", "B2FORM_VAR_"} { // the later one wins
		for _, pair := range p.environ() {
			name, value, _ := strings.Cut(pair, "=")
			if of, ok := strings.CutPrefix(name, prefix); ok {
				o.Env = append(o.Env, schema.VariableValue{Name: of, Value: value, EnvName: name})
			}
		}
	}
	if p.savedPlan != nil {
		o.PlannedVariables = p.savedPlan.NonsensitiveVariables
	}
	if p.interactive() {
		o.Ask = p.askVariable
	}
	return o
}

// maxEvaluationSteps is how many steps the environment lets an evaluation take; 0: as many
// as it does without a word.
func (p *program) maxEvaluationSteps() int64 {
	text := p.getenv("B2FORM_MAX_EVALUATION")
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
	if err != nil || n <= 0 {
		p.warn("Number of steps not understood", fmt.Sprintf("%s is %q; it needs a whole number above zero, such as %d.",
			parse.MaxEvaluationEnvVar,
			text, 2*parse.DefaultSteps))
		return 0
	}
	return n
}

// newClient makes a client from the flags and the environment.
func (s *session) newClient(ctx context.Context) (*b2.Client, error) {
	o := b2.Options{
		UserAgent:   strings.TrimSpace("b2form/" + version + " " + s.getenv("B2_USER_AGENT_APPEND")),
		Parallelism: s.parallelism,
		Now:         s.now,
		Sleep:       s.sleep,
		OnAttempt:   s.attemptEventFunc(),
	}
	if s.localB2 != nil {
		o.KeyID, o.Key, o.Transport = s.localB2.MasterKeyID(), s.localB2.MasterKey(), s.localB2
		o.Endpoint = emulatorRealm
		return b2.New(o)
	}
	found, err := s.findCredentials(ctx)
	if err != nil {
		return nil, err
	}
	o.KeyID, o.Key, o.KeySource = found.KeyID, found.Key.Reveal(), found.SourceText
	o.Endpoint = cmp.Or(s.endpoint, s.getenv("B2_ENDPOINT"), s.getenv("B2_ENVIRONMENT"), found.Realm)
	return b2.New(o)
}

// makePlan reads the account and works out what would change. A plan that breaks a policy is an error.
func (s *session) makePlan(ctx context.Context, st *state.State, m view.PlanPurpose) (*plan.Plan, error) {
	made, broken, err := s.makePlanToShow(ctx, st, m)
	switch {
	case err != nil:
		return nil, err
	case broken != nil:
		return nil, append(made.Warnings, broken...)
	}
	return made, nil
}

// readStateAndPlan reads the state, too. It is in the session then.
func (s *session) readStateAndPlan(ctx context.Context, m view.PlanPurpose) (*plan.Plan, error) {
	st, err := s.readState(ctx)
	if err != nil {
		return nil, err
	}
	return s.makePlan(ctx, st, m)
}

// makePlanToShow is makePlan for a plan that is shown before anything is refused. broken says which policies it
// breaks; nil: none.
func (s *session) makePlanToShow(ctx context.Context, st *state.State, m view.PlanPurpose) (made *plan.Plan, broken hcl.Diagnostics,
	err error) {
	s.state = st
	endRead := s.beginPhase("read the account", "Reading the account")
	defer func() { endRead() }()
	a, err := s.authorize(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := s.checkSavedAccount(a.ID, a.Realm); err != nil {
		return nil, nil, err
	}
	if err := checkStateAccount(st, a); err != nil {
		return nil, nil, err
	}
	s.clockAhead = s.client.ProvenServiceClockAhead()
	s.readStart = s.b2Time()
	warnings, err := s.readLiveAndAnswerData(ctx, a, s.configAndStateQuery)
	if err == nil {
		err = s.addAndCheckCommandLineImport(st)
	}
	if err != nil {
		return nil, nil, err
	}
	endRead()
	endRead = s.beginPhase("plan", "Planning")
	s.findForeignFiles()
	request := plan.Request{
		Config: s.config, Kinds: s.kinds, Snapshot: s.snapshot, Entries: st.Entries,
		Applied: s.lastApply(), Destroy: m == view.Destroying, RefreshOnly: m == view.Refreshing, Replace: s.runOptions.replace,
		Rotate: s.runOptions.rotate, RotationsOnly: m == view.Rotating, Now: s.b2Time(), LocalClockTime: s.now(),
		DigestSalt: s.planDigestSalt,
		HashHidden: s.slowHash, Target: s.runOptions.target, Exclude: s.runOptions.exclude, FillSavedForm: s.runOptions.outPath != "" ||
			s.savedPlan != nil, ForeignFiles: s.foreignFiles,
	}
	if s.runOptions.onlyImport != nil {
		request.ImportOnly = &s.runOptions.onlyImport.To
	}
	for _, i := range st.OpenIntents {
		request.Announced = append(request.Announced,
			plan.AnnouncedCreate{Addr: i.Addr, Identity: i.Identity, IDsBeforeCreate: i.KnownIDs, MultiBucket: i.MultiBucket,
				LaterAttemptID: i.LaterAttemptObjectID, AnnouncedAt: i.AnnouncedAt})
	}
	made, diags := plan.Make(request)
	if diags.HasErrors() {
		return nil, nil, diags
	}
	made.Warnings = slices.Concat(warnAnotherRun(st), warnings, s.warningsOfWhatIsSet(made), made.Warnings)
	broken = s.judgePlanAddingWarnings(made, a, m)
	if m == view.Planning {
		made.Warnings = append(made.Warnings, plan.WarnUnusableCredentials(s.config)...)
		made.Warnings = append(made.Warnings, s.evaluateAndRecordChecks(s.newPlannedOutputReader(made))...)
	}
	return made, broken, nil
}

// judgePlanAddingWarnings adds the warnings of policies to those of a plan, and gives the errors.
func (s *session) judgePlanAddingWarnings(made *plan.Plan, a *wire.Account, m view.PlanPurpose) (broken hcl.Diagnostics) {
	judged := made.CheckPolicies(s.config, a)
	if m != view.Destroying {
		judged = slices.Concat(plan.CheckAccountDenyRules(s.config, a), plan.CheckDenyRules(s.config, made.KeptObjects), judged)
	}
	for _, d := range judged {
		if d.Severity == hcl.DiagError {
			broken = append(broken, d)
		} else {
			made.Warnings = append(made.Warnings, d)
		}
	}
	return broken
}

// entriesAndIntents is what the state lists, with announced creates as entries without ID.
func entriesAndIntents(st *state.State) []addr.StateEntry {
	entries := slices.Clip(st.Entries)
	for _, i := range st.OpenIntents {
		entries = append(entries, addr.StateEntry{Addr: i.Addr, Identity: i.Identity})
	}
	return entries
}

// checkStateAccount refuses a state that records the objects of another account.
func checkStateAccount(st *state.State, a *wire.Account) error {
	if st.CanBelongTo(a.ID, a.Realm) {
		return nil
	}
	return failf("The state belongs to another account",
		"The state records objects of account %s at %s, but the credentials are those of account %s at %s. "+
			"Use the other credentials, or keep one folder per account.", st.AccountID, st.Realm, a.ID, a.Realm)
}

// warnStateMissingInCI says what a pipeline loses that starts without a state.
func (s *session) warnStateMissingInCI() {
	if !s.inCI() || s.localB2 != nil || len(s.config.Resources) == 0 {
		return
	}
	local, ok := s.backend().(state.LocalFile)
	if !ok {
		return
	}
	if _, err := os.Stat(local.Path); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	s.warn("No state on CI", local.Path+" does not exist, so b2form cannot know what earlier runs made: an object whose block is "+
		"removed is not destroyed, and what exists under a declared name needs an import block or -adopt. Commit the file after each "+
		"apply; it holds no setting and no secret. Or let runs share it in a bucket, with a backend \"b2\" block.")
}

// blockRange is where a resource is declared; nil where it is not.
func (s *session) blockRange(addr addr.Addr) *hcl.Range {
	if r := s.config.FindResource(addr); r != nil {
		return &r.Block.HeaderRange
	}
	return nil
}

// authorizeKey asks B2 what a new key may do, as that key: one more authorization.
func (s *session) authorizeKey(ctx context.Context, keyID string, key secret.Value) (*wire.Account, error) {
	c, err := s.client.WithCredentials(keyID, key.Reveal())
	if err != nil {
		return nil, err
	}
	return c.Authorize(ctx)
}
