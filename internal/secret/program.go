package secret

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"b2form/internal/scrub"
	"b2form/schema/config"
)

// A deliveryProgram is what a delivery of type command runs. It is found before the key
// exists.
type deliveryProgram struct {
	delivery    config.Delivery
	options     DeliveryOptions
	path        string // absolute
	renderedEnv []string
}

// WithoutOwnSecrets is an environment without the variables that are for b2form alone: its credentials for B2 and
// for the state, what it hashes hidden values with, and values of the configuration's variables, also those among the options
// that it is given. No program that it starts for somebody finds them.
func WithoutOwnSecrets(environ []string) []string {
	names := []string{"B2_APPLICATION_KEY_ID", "B2_APPLICATION_KEY", "B2_APPLICATION_KEY_ID_FILE",
		"B2_APPLICATION_KEY_FILE", "B2_ACCOUNT_ID", "B2_ACCOUNT_KEY", "B2_PROFILE", "B2_CREDENTIAL_COMMAND", "B2FORM_DIGEST_KEY",
		"B2FORM_NOTIFY", "PG_CONN_STR", "PGPASSWORD", "PGPASSFILE", "PGSERVICEFILE", "PGSSLKEY", "PGSSLPASSWORD",
		"TF_HTTP_USERNAME", "TF_HTTP_PASSWORD", "TF_HTTP_CLIENT_PRIVATE_KEY_PEM"}
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(names, name) || slices.ContainsFunc([]string{"TF_VAR_", "B2FORM_VAR_", "B2FORM_CLI_ARGS"},
			func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	})
}

func prepareProgram(key KeyInfo, d config.Delivery, o DeliveryOptions) (*deliveryProgram, error) {
	p := &deliveryProgram{delivery: d, options: o}
	if o.LiveLookup != nil && d.RenderEnvironment != nil {
		if _, diags := d.RenderEnvironment(templateSelf(key), o.LiveLookup); diags.HasErrors() {
			// Made with a placeholder, so it holds no secret.
			return nil, fmt.Errorf("its environment cannot be rendered: %w", diags)
		}
	}
	if o.SkipPrograms {
		return p, nil
	}
	if len(d.Command) == 0 {
		return nil, errors.New("it names no program")
	}
	name := d.Command[0]
	if filepath.Base(name) != name && !filepath.IsAbs(name) {
		name = filepath.Join(d.ProgramDir, name)
		if filepath.Base(name) == name {
			name = "." + string(filepath.Separator) + name // not one of PATH
		}
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return nil, programMissingError(d.Command[0], err)
	}
	p.path, err = filepath.Abs(found)
	return p, err
}

func programMissingError(name string, err error) error {
	var e *exec.Error
	if errors.As(err, &e) {
		err = e.Err
	}
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("the program %q is not found; install it, or correct its name", name)
	}
	return fmt.Errorf("the program %q cannot be run: %w", name, errorWithoutPath(err))
}

// renderEnv renders the variables.
func (p *deliveryProgram) renderEnv(key KeyInfo, live config.LiveLookup) error {
	if p.delivery.RenderEnvironment == nil {
		return nil
	}
	vars, diags := p.delivery.RenderEnvironment(templateSelf(key), live)
	if diags.HasErrors() {
		return errorWithoutSecret(diags)
	}
	p.renderedEnv = nil
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		p.renderedEnv = append(p.renderedEnv, name+"="+vars[name])
	}
	return nil
}

var (
	errTimeout = errors.New("it took too long")
	errStopped = errors.New("it was still running when b2form was asked to stop")
)

// programWaitDelay is how long a program that was asked to end may take to do so, and
// how long one that ended is waited for to close its output.
const programWaitDelay = 3 * time.Second

// run gives the program its input and waits for its end. started is false where
// it can have learnt nothing.
func (p *deliveryProgram) run(input string, key Value) (started bool, err error) {
	if p.options.SkipPrograms {
		return false, nil
	}
	defer func() { p.renderedEnv = nil }() // they hold the secret
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	go p.enforceStopGrace(ctx, cancel)

	said := &tailBuffer{}
	cmd := exec.CommandContext(ctx, p.path)
	cmd.Args = slices.Clone(p.delivery.Command)
	cmd.Dir = p.delivery.ProgramDir
	cmd.Env = append(WithoutOwnSecrets(p.options.ProgramEnv), p.renderedEnv...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.WaitDelay = programWaitDelay
	detach(cmd)
	endProgram, asked := cmd.Cancel, false
	cmd.Cancel = func() error {
		asked = true // Wait returns after this, if it is called
		return endProgram()
	}
	if err := cmd.Start(); err != nil {
		if why := context.Cause(ctx); why != nil {
			return false, p.programFailure(why, nil, "", key)
		}
		return false, fmt.Errorf("the program cannot be run: %w", errorWithoutPath(err))
	}
	if p.delivery.ProgramTimeout > 0 {
		timer := time.AfterFunc(p.delivery.ProgramTimeout, func() { cancel(errTimeout) })
		defer timer.Stop()
	}
	err = cmd.Wait()
	var why error
	if asked { // else it had ended before its time was over, and only its output was still open
		why = context.Cause(ctx)
		killGroup(cmd)
	}
	if why == nil && (err == nil || errors.Is(err, exec.ErrWaitDelay)) {
		return true, nil // what it left in the background is its own business
	}
	return true, p.programFailure(why, err, said.text(), key)
}

// enforceStopGrace ends the program when it has used up its time after a request to stop.
func (p *deliveryProgram) enforceStopGrace(ctx context.Context, cancel context.CancelCauseFunc) {
	select {
	case <-ctx.Done():
		return
	case <-p.options.Stop:
	}
	timer := time.NewTimer(p.options.StopGrace)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
		cancel(errStopped)
	}
}

// programFailure says how the program ended and, where that is asked for and as far as it
// gives nothing away, what it said.
func (p *deliveryProgram) programFailure(why, err error, said string, key Value) error {
	var text string
	var exit *exec.ExitError
	switch {
	case errors.Is(why, errTimeout):
		text = fmt.Sprintf("the program was ended after %s, its timeout", p.delivery.ProgramTimeout)
	case why != nil:
		text = "the program was ended, since b2form was asked to stop"
	case errors.As(err, &exit) && exit.Exited():
		text = fmt.Sprintf("the program ended with exit code %d", exit.ExitCode())
	case errors.As(err, &exit):
		text = "the program was ended: " + exit.String()
	default:
		text = "the program failed: " + errorWithoutPath(err).Error()
	}
	switch {
	case strings.TrimSpace(said) == "":
		return &programError{text + " and said nothing", ""}
	case p.delivery.HasOtherSensitive:
		return &programError{text + "; what it said is left out, since it may repeat a sensitive value", ""}
	case !p.delivery.ShowProgramOutput:
		return &programError{text + "; what it said is not shown, since it may repeat the secret",
			"To find out why, run it by hand with a made-up secret, or write show_output = true in this block."}
	}
	return &programError{text, "The program said:\n" +
		indent(lastLines(strings.TrimSpace(scrub.RemoveSecretOrWithholdText(said, key.Reveal()))))}
}

// A programError is how a program failed, and in lines of its own what more there is
// to say: its words, or how to learn them.
type programError struct{ summary, detail string }

func (e *programError) Error() string {
	if e.detail == "" {
		return e.summary
	}
	return e.summary + "\n" + e.detail
}

// shownLines and shownBytes limit what is repeated of a program's words.
const (
	shownLines = 20
	shownBytes = 2000
)

// lastLines is the end of a text, in whole lines where they fit.
func lastLines(text string) string {
	cut := false
	if n := len(text) - shownBytes; n > 0 {
		text, cut = strings.ToValidUTF8(text[n:], ""), true
	}
	lines := strings.Split(text, "\n")
	if n := len(lines) - shownLines; n > 0 {
		lines, cut = lines[n:], true
	}
	text = strings.Join(lines, "\n")
	if cut {
		text = "… " + text
	}
	return text
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// tailBuffer keeps the last part of what is written to it. It is much more than is
// ever shown, so that no piece of a secret at its beginning is.
type tailBuffer struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 64 << 10

// Write never fails.
func (t *tailBuffer) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if n := len(t.buf) - tailSize; n > 0 {
		t.buf = append(t.buf[:0], t.buf[n:]...)
	}
	return len(p), nil
}

func (t *tailBuffer) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ToValidUTF8(string(t.buf), "�")
}
