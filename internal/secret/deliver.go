package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/agefile"
	"b2form/schema/kind"
)

// A Self is the application key that is delivered. Before the key exists all
// but KeyID and Key is known.
type Self struct {
	Name       string // the key's name on B2
	KeyID      string
	Key        Value
	Buckets    []string // names of the buckets it is limited to; empty: every bucket
	NamePrefix string
	Endpoint   string // of the S3 API: "https://s3.us-west-004.backblazeb2.com"
	Region     string // "us-west-004"
}

// An Env is what deliveries need from outside.
type Env struct {
	// Stdout receives the deliveries of type stdout, each in a single Write, from
	// every goroutine that delivers: see OneAtATime. nil: there is nowhere to
	// print, and such a delivery is refused.
	Stdout io.Writer
	// Place gives the path at which a file is written. nil: the delivery's Path.
	Place func(kind.Delivery) string
	// Live answers for the objects that templates refer to, as far as they exist
	// before the key. nil: templates are not tried before Deliver.
	Live kind.Live
}

// OneAtATime makes w safe for concurrent use: what is written in one call stays
// in one piece. It gives nil for nil.
func OneAtATime(w io.Writer) io.Writer {
	if w == nil {
		return nil
	}
	return &queued{w: w}
}

type queued struct {
	mu sync.Mutex
	w  io.Writer
}

func (q *queued) Write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.w.Write(p)
}

// An Error is a delivery that cannot be carried out, in words that hold no
// secret.
type Error struct {
	Summary string // "Secret cannot be delivered"
	Detail  string // what is wrong and what to do; whole sentences
	Range   hcl.Range
	// Dead are the destinations, in words, that received the secret before
	// another one failed. The key must be deleted now, so what they hold is void.
	Dead  []string
	Cause error // may be nil
}

func (e *Error) Error() string { return e.Summary + ": " + e.Detail }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Slots are destinations that are ready to receive one key. They belong to one
// goroutine at a time. Abandon must be called on every path on which Deliver
// was not.
type Slots struct{ slots []*slot }

type slot struct {
	delivery kind.Delivery
	file     *reserved // types age and file
	stdout   io.Writer // type stdout
}

// A placeholder is as long as what B2 makes (25 characters of ID, 31 of secret:
// the examples of b2_create_key). A template may encode the real one, of which
// some characters then take more room.
const (
	placeholderID  = "0000000000000000000000000"
	placeholderKey = "K000000000000000000000000000000"
	encodingRoom   = 512
)

// Prepare makes every destination ready before the key exists: a file's folder
// is there (it is created if needed), nothing but a regular file is in its
// place, and a temporary file beside it holds the space that the content will
// take; the recipients of an age file can be encrypted to. self is the key as far as it is known. Nothing that exists is changed.
//
// An error is an *Error, or ctx's; then nothing is left behind but folders.
func Prepare(ctx context.Context, self Self, deliveries []kind.Delivery, env Env) (*Slots, error) {
	self.KeyID, self.Key = placeholderID, New(placeholderKey)
	s := &Slots{}
	places := map[string]bool{}
	for _, d := range deliveries {
		if err := ctx.Err(); err != nil {
			return nil, errors.Join(err, s.Abandon())
		}
		slot, err := prepare(self, d, env)
		if err == nil && slot.file != nil {
			if places[slot.file.path] {
				err = fmt.Errorf("%s is the destination of two deliveries: give each its own path", d.Shown)
			}
			places[slot.file.path] = true
		}
		if slot != nil {
			s.slots = append(s.slots, slot)
		}
		if err != nil {
			_ = s.Abandon()
			return nil, &Error{
				Summary: "Secret cannot be delivered",
				Detail:  fmt.Sprintf("The new key would be lost, so it was not made: %s.", err),
				Range:   d.Range,
				Cause:   err,
			}
		}
	}
	return s, nil
}

func prepare(self Self, d kind.Delivery, env Env) (*slot, error) {
	size := defaultSize
	if d.Content == nil || env.Live != nil {
		content, diags := render(self, d, env.Live)
		if diags.HasErrors() {
			// Made with a placeholder, so it holds no secret.
			return nil, fmt.Errorf("its content cannot be rendered: %w", diags)
		}
		size = len(content) + encodingRoom
	}
	switch d.Type {
	case "age":
		sealed, err := agefile.Seal(strings.Repeat("0", size), d.Recipients)
		if err != nil {
			return nil, err
		}
		size = len(sealed)
		fallthrough
	case "file":
		path := d.Path
		if env.Place != nil {
			path = env.Place(d)
		}
		f, err := reserve(path, size)
		if err != nil {
			return nil, err
		}
		return &slot{delivery: d, file: f}, nil
	case "stdout":
		if env.Stdout == nil {
			return nil, errors.New("there is no standard output to print it to")
		}
		return &slot{delivery: d, stdout: env.Stdout}, nil
	}
	return nil, fmt.Errorf("a delivery to %q is not known", d.Type)
}

// Deliver brings the key to every destination and says in words where, in the
// order of the deliveries. Everything is written and synced before the first
// destination changes; what is printed comes before files are renamed into
// place. On an *Error the destinations that it does not name as Dead are as
// they were, and nothing temporary is left; the key should be deleted.
func (s *Slots) Deliver(self Self, live kind.Live) (where []string, err error) {
	var dead []string
	fail := func(d kind.Delivery, why error) ([]string, error) {
		_ = s.Abandon()
		return nil, undelivered(d, dead, why)
	}
	contents := make([]string, len(s.slots))
	for i, slot := range s.slots {
		text, diags := render(self, slot.delivery, live)
		if diags.HasErrors() {
			return fail(slot.delivery, publicPart(diags))
		}
		if slot.delivery.Type == "age" {
			var err error
			if text, err = agefile.Seal(text, slot.delivery.Recipients); err != nil {
				return fail(slot.delivery, err)
			}
		}
		contents[i] = text
		if slot.file != nil {
			if err := slot.file.fill(text); err != nil {
				return fail(slot.delivery, err)
			}
		}
	}
	for i, slot := range s.slots {
		if slot.stdout == nil {
			continue
		}
		n, err := io.WriteString(slot.stdout, strings.TrimSuffix(contents[i], "\n")+"\n")
		if n > 0 {
			dead = append(dead, slot.delivery.Shown)
		}
		if err != nil {
			return fail(slot.delivery, err)
		}
	}
	for _, slot := range s.slots {
		if slot.file == nil {
			continue
		}
		err := slot.file.publish()
		if slot.file.temp == nil {
			dead = append(dead, slot.delivery.Shown)
		}
		if err != nil {
			return fail(slot.delivery, err)
		}
	}
	for _, slot := range s.slots {
		where = append(where, slot.delivery.Shown)
	}
	return where, nil
}

// Abandon removes every temporary file. Calling it again, or after Deliver, does
// nothing.
func (s *Slots) Abandon() error {
	var errs []error
	for _, slot := range s.slots {
		if slot.file != nil {
			errs = append(errs, slot.file.abandon())
		}
	}
	return errors.Join(errs...)
}

func undelivered(d kind.Delivery, dead []string, why error) *Error {
	e := &Error{
		Summary: "Secret was not delivered",
		Detail:  fmt.Sprintf("Delivery to %s failed: %s.", d.Shown, why),
		Range:   d.Range,
		Dead:    dead,
		Cause:   why,
	}
	if len(dead) > 0 {
		e.Detail += fmt.Sprintf(" The new key cannot be kept, but it was written to %s before: what is there will not work.",
			strings.Join(dead, " and "))
	}
	return e
}

// render gives what goes to a destination.
func render(self Self, d kind.Delivery, live kind.Live) (string, hcl.Diagnostics) {
	if d.Content != nil {
		return d.Content(map[string]cty.Value{
			"application_key":    cty.StringVal(self.Key.Reveal()),
			"application_key_id": cty.StringVal(self.KeyID),
		}, live)
	}
	text, err := format(d.Format, self)
	if err != nil {
		return "", hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Unknown format", Detail: err.Error(), Subject: &d.Range}}
	}
	return text, nil
}

// publicPart keeps of a failed template what cannot quote the secret: functions
// repeat their arguments in a Detail.
func publicPart(diags hcl.Diagnostics) error {
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		if d.Subject == nil {
			return errors.New("its content cannot be rendered with the key that B2 made")
		}
		return fmt.Errorf("its content cannot be rendered with the key that B2 made (line %d)", d.Subject.Start.Line)
	}
	return nil
}
