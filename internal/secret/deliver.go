package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/agefile"
	"b2form/internal/visible"
	"b2form/schema/config"
)

// A KeyInfo is the application key that is delivered. Before the key exists all
// but KeyID and Key is known.
type KeyInfo struct {
	DeclaredName string // the key's name in the configuration; on B2 that of a rotation has a time behind it
	KeyID        string
	Key          Value
	Buckets      []string // names of the buckets it is limited to; empty: every bucket
	NamePrefix   string
	Realm        string // where it authorizes: "https://api.backblazeb2.com"
	S3Endpoint   string // of the S3 API: "https://s3.us-west-004.backblazeb2.com"
	S3Region     string // "us-west-004"
}

// DeliveryOptions are what deliveries need from outside.
type DeliveryOptions struct {
	// Stdout receives the deliveries of type stdout, each in a single Write, from
	// every goroutine that delivers: see OneAtATime. nil: there is nowhere to
	// print, and such a delivery is refused.
	Stdout io.Writer
	// StdoutPreface gives what is printed in front of a secret that goes to Stdout, in
	// the same Write; nil: nothing.
	StdoutPreface func(Value) string
	// FilePath gives the path at which a file is written. nil: the delivery's Path.
	FilePath func(config.Delivery) string
	// MayReplace reports whether a delivery may replace the file that is in its place; asked when it is prepared, and before the file
	// is replaced. nil: it may.
	MayReplace func(config.Delivery) bool
	// ProtectedPaths are files that b2form needs itself: no delivery may replace them.
	ProtectedPaths []string
	// TempFiles lists temporary files that have names; nil: nobody removes what a
	// killed run leaves.
	TempFiles *TempFileJournal
	// LiveLookup answers for the objects that templates refer to, as far as they exist
	// before the key. nil: templates are not tried before Deliver.
	LiveLookup config.LiveLookup
	// ProgramEnv is the environment of programs, as "NAME=value".
	ProgramEnv []string
	// Stop, when closed, asks programs to end: what still runs after StopGrace is
	// ended. nil: nobody asks.
	Stop      <-chan struct{}
	StopGrace time.Duration
	// CheckBeforeEachEffect is asked before every effect of a delivery; its error ends it. nil:
	// nothing stands against one.
	CheckBeforeEachEffect func() error
	// SkipPrograms leaves programs out: they are neither looked up nor run.
	SkipPrograms bool
}

// OneAtATime makes w safe for concurrent use: what is written in one call stays
// in one piece. It gives nil for nil.
func OneAtATime(w io.Writer) io.Writer {
	if w == nil {
		return nil
	}
	return &lockedWriter{w: w}
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (q *lockedWriter) Write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.w.Write(p)
}

// An Error is a delivery that cannot be carried out, in words that hold no
// secret.
type Error struct {
	Summary string // "Secret cannot be delivered"
	Detail  string // what is wrong and what to do; whole sentences
	Range   *hcl.Range
	// InvalidatedDestinations are the destinations, in words, that received the secret before
	// another one failed. The key must be deleted now, so what they hold is void.
	InvalidatedDestinations []string
	// FailedProgram is the destination, in words, whose program was started and failed: nobody knows whether it had read the
	// secret by then. "": none.
	FailedProgram string
	Cause         error // may be nil
}

func (e *Error) Error() string { return e.Summary + ": " + e.Detail }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// PreparedDelivery are destinations that are ready to receive one key. They belong to one
// goroutine at a time. Abandon must be called on every path on which Deliver
// was not.
type PreparedDelivery struct {
	destinations      []*destination
	checkBeforeEffect func() error
}

type destination struct {
	delivery config.Delivery
	file     *tempFile // types age and file
	stdout   io.Writer // type stdout
	preface  func(Value) string
	program  *deliveryProgram // type command
}

// A placeholder is as long as what B2 makes (25 characters of ID, 31 of secret:
// the examples of b2_create_key). A template may encode the real one, of which
// some characters then take more room.
const (
	placeholderID        = "0000000000000000000000000"
	placeholderKey       = "K000000000000000000000000000000"
	templateReserveBytes = 512
)

// Prepare makes every destination ready before the key exists: a file's folder
// is there (it is created if needed), nothing but a regular file is in its
// place, nor any file that must not be replaced, and a temporary file beside it holds the space that the content will
// take; the recipients of an age file can be encrypted to, and programs are found. key is the key as far as it is
// known. Nothing that exists is changed.
//
// An error joins an *Error of each destination that cannot be made ready, or is ctx's; then nothing is left behind but folders.
func Prepare(ctx context.Context, key KeyInfo, deliveries []config.Delivery, o DeliveryOptions) (*PreparedDelivery, error) {
	key.KeyID, key.Key = placeholderID, New(placeholderKey)
	s := &PreparedDelivery{checkBeforeEffect: o.CheckBeforeEachEffect}
	if s.checkBeforeEffect == nil {
		s.checkBeforeEffect = func() error { return nil }
	}
	var refused []error
	places := map[string]bool{}
	for _, d := range deliveries {
		if err := ctx.Err(); err != nil {
			return nil, errors.Join(err, s.Abandon())
		}
		slot, err := prepareDestination(key, d, o)
		if err == nil && slot.file != nil {
			if places[slot.file.targetPath] {
				err = fmt.Errorf("%s is the destination of two deliveries: give each its own path", d.DisplayName)
			}
			places[slot.file.targetPath] = true
		}
		if slot != nil {
			s.destinations = append(s.destinations, slot)
		}
		if err != nil {
			refused = append(refused, refusalError(d, err))
		}
	}
	if len(refused) > 0 {
		_ = s.Abandon()
		return nil, errors.Join(refused...)
	}
	return s, nil
}

func prepareDestination(key KeyInfo, d config.Delivery, o DeliveryOptions) (*destination, error) {
	size, content := assumedContentSize, ""
	if d.RenderContent == nil || o.LiveLookup != nil {
		var diags hcl.Diagnostics
		if content, diags = renderContent(key, d, o.LiveLookup); diags.HasErrors() {
			// Made with a placeholder, so it holds no secret.
			return nil, fmt.Errorf("its content cannot be rendered: %w", diags)
		}
		size = len(content) + templateReserveBytes
	}
	switch d.Type {
	case "age":
		sealed, err := agefile.Encrypt(strings.Repeat("0", size), d.Recipients)
		if err != nil {
			return nil, err
		}
		return prepareFile(d, o, len(sealed))
	case "file":
		return prepareFile(d, o, size)
	case "stdout":
		if err := checkHasStdout(o); err != nil {
			return nil, err
		}
		if visible.HasCICommand(content) {
			return nil, errCICommand
		}
		return &destination{delivery: d, stdout: o.Stdout, preface: o.StdoutPreface}, nil
	case "command":
		p, err := prepareProgram(key, d, o)
		if err != nil {
			return nil, err
		}
		return &destination{delivery: d, program: p}, nil
	}
	return nil, fmt.Errorf("a delivery to %q is not known", d.Type)
}

// errCICommand: what is printed may stand in the log of a CI system, before which only
// b2form's own commands are to come.
var errCICommand = errors.New("its content holds a text that CI systems take for a command, such as :: at the beginning of a line")

func prepareFile(d config.Delivery, o DeliveryOptions, size int) (*destination, error) {
	path, err := checkedFilePath(d, o)
	if err != nil {
		return nil, err
	}
	mayReplace := func() bool { return o.MayReplace == nil || o.MayReplace(d) }
	f, err := reserveTempFile(path, size, mayReplace, o.TempFiles)
	if err != nil {
		return nil, err
	}
	return &destination{delivery: d, file: f}, nil
}

// Deliver brings the key to every destination and says in words where, in the
// order of the deliveries. Everything is written and synced before the first
// destination changes; then programs run, one after the other, then what is
// printed is printed, then files are renamed into place. On an *Error the
// destinations that it does not name as InvalidatedDestinations are as they were, and nothing
// temporary is left; the key should be deleted.
func (s *PreparedDelivery) Deliver(key KeyInfo, live config.LiveLookup) (where []string, err error) {
	d := deliveryRun{PreparedDelivery: s, key: key, live: live, contents: make([]string, len(s.destinations))}
	for _, stage := range []func(int, *destination) error{d.renderAndStage, d.runProgram, d.printIfStdout, d.publishFile} {
		for i, slot := range s.destinations {
			if err := stage(i, slot); err != nil {
				_ = s.Abandon()
				return nil, d.deliveryError(slot.delivery, err)
			}
		}
	}
	for _, slot := range s.destinations {
		where = append(where, slot.delivery.DisplayName)
	}
	return where, nil
}

// A deliveryRun is one Deliver. Each of its stages does the part of one
// destination that belongs to it.
type deliveryRun struct {
	*PreparedDelivery
	key                 KeyInfo
	live                config.LiveLookup
	contents            []string
	changedDestinations []string // destinations that changed
	failedProgram       string   // see Error.FailedProgram
}

// renderAndStage renders what goes to the destination and brings a file onto the disk.
func (d *deliveryRun) renderAndStage(i int, s *destination) error {
	text, diags := renderContent(d.key, s.delivery, d.live)
	if diags.HasErrors() {
		return errorWithoutSecret(diags)
	}
	if s.delivery.Type == "age" {
		var err error
		if text, err = agefile.Encrypt(text, s.delivery.Recipients); err != nil {
			return err
		}
	}
	d.contents[i] = text
	if s.file != nil {
		return s.file.writeContent(text)
	}
	if s.program != nil {
		return s.program.renderEnv(d.key, d.live)
	}
	return nil
}

func (d *deliveryRun) runProgram(i int, s *destination) error {
	if s.program == nil {
		return nil
	}
	if err := d.checkBeforeEffect(); err != nil {
		return err
	}
	started, err := s.program.run(d.contents[i], d.key.Key)
	switch {
	case started && err != nil:
		d.failedProgram = s.delivery.DisplayName
	case started:
		d.changedDestinations = append(d.changedDestinations, s.delivery.DisplayName)
	}
	return err
}

func (d *deliveryRun) printIfStdout(i int, s *destination) error {
	if s.stdout == nil {
		return nil
	}
	if err := d.checkBeforeEffect(); err != nil {
		return err
	}
	text := strings.TrimSuffix(d.contents[i], "\n") + "\n"
	if visible.HasCICommand(text) {
		return errCICommand
	}
	if s.preface != nil {
		text = s.preface(d.key.Key) + text
	}
	n, err := io.WriteString(s.stdout, text)
	if n > 0 {
		d.changedDestinations = append(d.changedDestinations, s.delivery.DisplayName)
	}
	return err
}

func (d *deliveryRun) publishFile(_ int, s *destination) error {
	if s.file == nil {
		return nil
	}
	if err := d.checkBeforeEffect(); err != nil {
		return err
	}
	err := s.file.publish()
	if s.file.file == nil {
		d.changedDestinations = append(d.changedDestinations, s.delivery.DisplayName)
	}
	return err
}

// Abandon removes every temporary file. Calling it again, or after Deliver, does
// nothing.
func (s *PreparedDelivery) Abandon() error {
	var errs []error
	for _, slot := range s.destinations {
		if slot.file != nil {
			errs = append(errs, slot.file.discard())
		}
	}
	return errors.Join(errs...)
}

func (d *deliveryRun) deliveryError(of config.Delivery, why error) *Error {
	short, more := why.Error(), ""
	var p *programError
	if errors.As(why, &p) && p.detail != "" {
		short, more = p.summary, "\n"+p.detail
	}
	e := &Error{
		Summary:                 "Secret was not delivered",
		Detail:                  fmt.Sprintf("Delivery to %s failed: %s.", of.DisplayName, strings.TrimSuffix(short, ".")),
		Range:                   of.Range,
		InvalidatedDestinations: d.changedDestinations,
		FailedProgram:           d.failedProgram,
		Cause:                   why,
	}
	var gone []string
	if len(d.changedDestinations) > 0 {
		gone = append(gone, "has gone to "+strings.Join(d.changedDestinations, " and ")+" already")
	}
	if d.failedProgram != "" {
		gone = append(gone, "may have gone to "+d.failedProgram)
	}
	if len(gone) > 0 {
		e.Detail += fmt.Sprintf(" The new key cannot be kept, but it %s: what is there will not work.", strings.Join(gone, ", and "))
	}
	e.Detail += more
	return e
}

// renderContent gives what goes to a destination.
func renderContent(key KeyInfo, d config.Delivery, live config.LiveLookup) (string, hcl.Diagnostics) {
	if d.RenderContent != nil {
		return d.RenderContent(templateSelf(key), live)
	}
	if d.Type == "command" && d.Format == "" {
		return "", nil
	}
	text, err := formatKey(d.Format, key)
	if err != nil {
		return "", hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Unknown format", Detail: err.Error(), Subject: d.Range}}
	}
	return text, nil
}

// templateSelf is what a template knows as self.
func templateSelf(key KeyInfo) map[string]cty.Value {
	return map[string]cty.Value{
		"application_key":    cty.StringVal(key.Key.Reveal()),
		"application_key_id": cty.StringVal(key.KeyID),
	}
}

// errorWithoutSecret keeps of a failed template what cannot quote the secret: functions
// repeat their arguments in a Detail.
func errorWithoutSecret(diags hcl.Diagnostics) error {
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		if d.Subject == nil {
			return errors.New("its content cannot be rendered with the key that B2 made")
		}
		err := fmt.Errorf("its content cannot be rendered with the key that B2 made (line %d)", d.Subject.Start.Line)
		if known, ok := d.Extra.(config.SecretFreeExtra); ok {
			err = fmt.Errorf("%w: %s", err, known.Reason)
		}
		return err
	}
	return nil
}
