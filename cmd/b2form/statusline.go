package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"b2form/internal/trace"
	"b2form/internal/visible"
	"b2form/internal/words"
)

const (
	statusDelay        = time.Second            // how long a phase lasts before a terminal tells of it
	statusRefresh      = 150 * time.Millisecond // how often the line is drawn anew
	ciProgressInterval = 30 * time.Second       // how often the log of a job tells of work under way
)

// A statusLine is the last line of a terminal, which tells what a run is busy with. What is
// printed meanwhile goes above it.
type statusLine struct {
	out   io.Writer
	width int
	trace *trace.Recorder

	mu        sync.Mutex
	closed    bool
	container *mpb.Progress
	bar       *mpb.Bar
}

// An aboveWriter writes to dest, or above the line where that is shown.
type aboveWriter struct {
	dest io.Writer
	line *statusLine
}

// Write implements io.Writer.
func (w aboveWriter) Write(b []byte) (int, error) {
	w.line.mu.Lock()
	defer w.line.mu.Unlock()
	if w.line.container != nil {
		if n, err := w.line.container.Write(b); err == nil {
			return n, nil
		}
	}
	return w.dest.Write(b)
}

// update shows the line where something has been going on for a while, and hides it where not. Without a line
// nothing happens.
func (l *statusLine) update() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.trace.Progress()
	switch shown := !l.closed && isSlow(p); {
	case shown && l.container == nil:
		l.container = mpb.New(mpb.WithOutput(l.out), mpb.WithWidth(l.width), mpb.WithRefreshRate(statusRefresh), mpb.WithAutoRefresh())
		l.bar = l.container.New(0, mpb.NopStyle(), mpb.PrependDecorators(decor.Any(func(decor.Statistics) string {
			return runewidth.Truncate(progressText(l.trace.Progress()), l.width-1, "…")
		})))
	case !shown && l.container != nil:
		l.bar.Abort(true)
		l.container.Wait()
		l.container, l.bar = nil, nil
	}
}

// close removes the line for good.
func (l *statusLine) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.update()
}

// isSlow reports whether a phase that is worth telling of has lasted for a while.
func isSlow(p trace.Progress) bool {
	return p.Phase.Activity != "" && p.Now.Sub(p.Phase.Start) >= statusDelay
}

// progressText tells in one line what a run is busy with.
func progressText(p trace.Progress) string {
	text, since := p.Phase.Activity, p.Phase.Start
	if text == "" {
		return ""
	}
	if len(p.Steps) > 0 {
		text, since = p.Steps[0].Activity, p.Steps[0].Start
	}
	text = fmt.Sprintf("%s [%s]", text, p.Now.Sub(since).Truncate(time.Second))
	if more := len(p.Steps) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	if p.Requests > 0 {
		text += ", " + words.Count(p.Requests, "request", "requests")
	}
	if p.Pause != nil {
		text += fmt.Sprintf(", pause of %s after %s", max(time.Second, p.Pause.Until.Sub(p.Now).Truncate(time.Second)),
			visible.EscapeLine(p.Pause.Reason))
	}
	return text
}

// above gives a writer to w that leaves the line where it is.
func (l *statusLine) above(w io.Writer) io.Writer {
	if l == nil {
		return w
	}
	return aboveWriter{w, l}
}

// statusLineIfAny gives a terminal its last line; nil: there is no terminal, or nobody is to be told of
// progress.
func (p *program) statusLineIfAny() *statusLine {
	if p.tellsNoProgress() || !p.stdoutTerminal || !p.stderrTerminal || p.terminalWidth == 0 || p.getenv("TERM") == "dumb" {
		return nil
	}
	return &statusLine{out: p.stderr, width: p.terminalWidth, trace: p.trace}
}

func (p *program) tellsNoProgress() bool { return p.quiet || p.hideProgress || p.json }

// startProgress tells from now on what the run is busy with: on a terminal by its last line, in the
// log of a job by a line every now and then, and elsewhere not at all.
func (p *program) startProgress() {
	switch {
	case p.stopProgress != nil:
	case p.status != nil:
		stop := p.repeatEvery(statusDelay, p.status.update)
		p.stopProgress = func() { stop(); p.status.close() }
	case p.inCI() && !p.tellsNoProgress():
		p.stopProgress = p.repeatEvery(ciProgressInterval, func() {
			if now := p.trace.Progress(); len(now.Steps) == 0 && isSlow(now) {
				p.ui.Note(progressText(now) + "\n")
			}
		})
	}
}

func (p *program) inCI() bool { return p.getenv("CI") != "" }

// beginPhase records a phase of the run. Its activity is what people are told while it goes on; "":
// nothing, as where they are asked. The caller calls end.
func (p *program) beginPhase(name, activity string) (end func()) {
	p.startProgress()
	s := p.trace.Begin(trace.Phase, name, activity)
	p.status.update()
	return func() {
		s.Finish("")
		p.status.update()
	}
}
