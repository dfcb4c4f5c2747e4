package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"b2form/internal/b2"
	"b2form/internal/durable"
	"b2form/internal/trace"
	"b2form/internal/visible"
	"b2form/internal/words"
)

// attemptEventFunc is what is done with each request: it is recorded, and written where that is asked for.
func (p *program) attemptEventFunc() func(b2.AttemptEvent) {
	log := p.requestLoggerIfAny()
	return func(e b2.AttemptEvent) {
		p.traceRequest(e)
		if log != nil {
			log(e)
		}
	}
}

// requestLoggerIfAny writes every request to standard error where B2FORM_LOG=debug asks
// for it.
func (p *program) requestLoggerIfAny() func(b2.AttemptEvent) {
	level := p.getenv("B2FORM_LOG")
	if !strings.EqualFold(level, "debug") {
		if level != "" && !strings.EqualFold(level, "off") {
			p.warn("Unknown log level", fmt.Sprintf("B2FORM_LOG is %q; the levels are off and debug, which writes a line per request to "+
				"standard error.", level))
		}
		return nil
	}
	log := slog.New(slog.NewTextHandler(p.status.above(p.stderr), &slog.HandlerOptions{Level: slog.LevelDebug}))
	return func(e b2.AttemptEvent) {
		log.Debug(e.Method, "attempt", e.AttemptNumber, "status", e.Status, "code", e.Code, "reason", e.NoReplyReason, "took", e.Took,
			"wait", e.WaitBeforeRetry)
	}
}

// traceRequest records one attempt to call B2.
func (p *program) traceRequest(e b2.AttemptEvent) {
	reason := e.NoReplyReason
	if e.Status != 0 {
		reason = strings.TrimSpace(strconv.Itoa(e.Status) + " " + e.Code)
	}
	errorCode := ""
	if e.Status != 200 {
		errorCode = cmp.Or(e.Code, strconv.Itoa(e.Status))
	}
	p.trace.AddRequest(trace.Span{Name: e.Method, HTTPStatus: e.Status, Attempt: e.AttemptNumber, ErrorCode: errorCode}, e.Took,
		e.WaitBeforeRetry, reason)
}

// printTimings tells where the run spent its time, where -timings asks for it.
func (p *program) printTimings() {
	if !p.timings {
		return
	}
	t := p.trace.Totals()
	rows := [][2]string{}
	rest := t.Elapsed
	for _, phase := range t.Phases {
		text := paddedMilliseconds(phase.OwnTime)
		if phase.Requests > 0 {
			text += "  " + words.Count(phase.Requests, "request", "requests")
		}
		rows = append(rows, [2]string{phase.Name, text})
		rest -= phase.OwnTime
	}
	rows = append(rows, [2]string{"everything else", paddedMilliseconds(max(0, rest))}, [2]string{"in all", paddedMilliseconds(t.Elapsed)})
	p.printTimingRows("Time", rows)
	rows = nil
	for _, m := range t.Methods {
		text := fmt.Sprintf("%s  %s", paddedMilliseconds(m.RequestTime), words.Count(m.Requests, "request", "requests"))
		if m.Repeats > 0 {
			text += fmt.Sprintf(", %d of them repeats after pauses of %s", m.Repeats, strings.TrimSpace(paddedMilliseconds(m.Paused)))
		}
		rows = append(rows, [2]string{m.Method, text})
	}
	if len(rows) > 0 {
		p.printTimingRows("Requests to B2, which may overlap", rows)
	}
}

func (p *program) printTimingRows(title string, rows [][2]string) {
	width := 0
	for _, row := range rows {
		width = max(width, len(row[0]))
	}
	fmt.Fprintf(p.stderr, "\n%s:\n", title)
	for _, row := range rows {
		fmt.Fprintf(p.stderr, "  %-*s  %s\n", width, row[0], row[1])
	}
}

func paddedMilliseconds(d time.Duration) string {
	return fmt.Sprintf("%7.0f ms", float64(d)/float64(time.Millisecond))
}

// writeTrace adds a record of the run to the file that the environment names. What fails is a warning:
// the run has its own result.
func (p *program) writeTrace(code int) {
	path := p.getenv("B2FORM_TRACE")
	if path == "" {
		return
	}
	errorCode := ""
	if code == 1 {
		errorCode = "exit code 1"
	}
	f, err := durable.OpenOverwritable(path, `{"resourceSpans":`, os.O_APPEND, 0o600)
	if err == nil {
		err = errors.Join(p.trace.WriteOTLP(f, strings.TrimSpace("b2form "+p.commandName), version, errorCode), f.Close())
	}
	if err != nil {
		p.ui = p.textUI()
		p.warn("Trace cannot be written", fmt.Sprintf("B2FORM_TRACE=%s: %s. The run is not affected.", visible.EscapeLine(path),
			words.CapitalizeUnlessName(words.ErrorWithoutPath(err))))
	}
}
