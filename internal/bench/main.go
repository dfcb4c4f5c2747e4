// Command bench measures b2form as a user runs it: the built program, as a
// process of its own, against an emulated account on a port of this machine. It
// prints a table in Markdown; docs/benchmarks.md explains the columns.
//
//	go run ./internal/bench            # everything, some minutes
//	go run ./internal/bench -quick     # small accounts only
//	go run ./internal/bench -only create
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	quick          bool
	titleSubstring string
	runs           int
	latency        time.Duration
	out            io.Writer
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == launchFlag {
		exit(launchAndWriteResult(os.Args[2:], os.Stdout))
	}
	o := options{out: os.Stdout}
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	flags.BoolVar(&o.quick, "quick", false, "leave out accounts of more than 1000 keys")
	flags.StringVar(&o.titleSubstring, "only", "", "leave out what does not have this in the first column")
	flags.IntVar(&o.runs, "runs", 3, "measure each case so often and print medians")
	flags.DurationVar(&o.latency, "latency", 50*time.Millisecond, "the latency of the service, beside none")
	_ = flags.Parse(os.Args[1:]) // exits on an error
	exit(o.run(context.Background()))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (o options) run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "b2form-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p, err := build(dir)
	if err != nil {
		return err
	}
	fmt.Fprintln(o.out, header)
	if strings.Contains(startTitle, o.titleSubstring) {
		if err := o.printUnlessFailed(measureStartUp(p, 10*o.runs)); err != nil {
			return err
		}
	}
	for _, s := range o.scales() {
		if !strings.Contains(s.title(), o.titleSubstring) {
			continue
		}
		if err := o.measurePlans(ctx, p, s); err != nil {
			return fmt.Errorf("%s: %w", s.title(), err)
		}
	}
	if err := o.measureAdopt(ctx, p); err != nil {
		return err
	}
	if !strings.Contains(createTitle, o.titleSubstring) {
		return nil
	}
	return o.measureCreateAndDestroy(p)
}

// measureAdopt measures how long writing configuration for an account takes: with
// families in one block, and with a block for each object.
func (o options) measureAdopt(ctx context.Context, p program) (err error) {
	buckets, keys := 1_000, 10_000
	if o.quick {
		buckets, keys = 100, 1_000
	}
	for _, fold := range []string{"auto", "never"} {
		title := fmt.Sprintf("adopt, %d buckets + %d keys", buckets, keys)
		if fold == "never" {
			title += ", blocks"
		}
		if !strings.Contains(title, o.titleSubstring) {
			continue
		}
		if err := o.measureAdoptWithFold(ctx, p, title, fold, buckets, keys); err != nil {
			return err
		}
	}
	return nil
}

func (o options) measureAdoptWithFold(ctx context.Context, p program, title, fold string, buckets, keys int) (err error) {
	f, err := newFixture(repeated, buckets, keys)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := f.createObjectsAndState(ctx); err != nil {
		return err
	}
	afresh := func() error { return os.RemoveAll(filepath.Join(f.dir, "adopted")) }
	m, err := measureRepeatedly(p, f, o.runs, o.latency, afresh, fmt.Sprintf("is %d to import and nothing else", buckets+keys),
		"adopt", "-notification-rules=false", "-fold="+fold, "adopted")
	m.title = title
	return o.printUnlessFailed(m, err)
}

func (o options) printUnlessFailed(m measurement, err error) error {
	if err == nil {
		_, err = fmt.Fprintln(o.out, m.markdownRow())
	}
	return err
}

// A scale is one size of account, and one way to write it.
type scale struct {
	style         configStyle
	buckets, keys int
	latencies     []time.Duration
	withRefusals  bool // also with refusals
}

func (o options) scales() []scale {
	both, none := []time.Duration{0, o.latency}, []time.Duration{0}
	all := []scale{
		{repeated, 100, 100, both, true},
		{repeated, 100, 1_000, both, false},
		{repeated, 1_000, 1_000, both, true},
		{writtenOut, 100, 1_000, none, false},
		{writtenOut, 1_000, 1_000, none, false},
		{repeated, 100, 10_000, both, false},
		{repeated, 1_000, 10_000, both, false},
		{fromFile, 1_000, 10_000, none, false},
		{writtenOut, 1_000, 10_000, none, false},
		{repeated, 100, 100_000, both, false},
		{repeated, 1_000, 100_000, both, true},
		{fromFile, 1_000, 100_000, none, false},
		{writtenOut, 1_000, 100_000, none, false},
	}
	if !o.quick {
		return all
	}
	return all[:5]
}

func (s scale) title() string {
	text := fmt.Sprintf("plan, %d buckets + %d keys", s.buckets, s.keys)
	if s.style != repeated {
		text += ", " + string(s.style)
	}
	return text
}

// measurePlans measures a plan with nothing to do at every latency of the scale, and with refusals.
func (o options) measurePlans(ctx context.Context, p program, s scale) (err error) {
	f, err := newFixture(s.style, s.buckets, s.keys)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := f.createObjectsAndState(ctx); err != nil {
		return err
	}
	for _, latency := range s.latencies {
		m, err := measureIdlePlan(p, f, o.runs, latency)
		m.title = s.title()
		if err := o.printUnlessFailed(m, err); err != nil {
			return err
		}
	}
	if !s.withRefusals {
		return nil
	}
	m, err := measurePlanWithRefusals(p, f, o.runs, o.latency)
	m.title = s.title() + ", 429"
	return o.printUnlessFailed(m, err)
}

const createTitle = "create 100 buckets + 100 keys"

// measureCreateAndDestroy measures how long 100 buckets and 100 keys take to make, and to
// destroy.
func (o options) measureCreateAndDestroy(p program) error {
	const n = 100
	var made, gone []measurement
	for range o.runs {
		f, err := newFixture(repeated, n, n)
		if err != nil {
			return err
		}
		m, err := measureRepeatedly(p, f, 1, o.latency, noop, fmt.Sprintf("%d added", 2*n), "apply", "-auto-approve", "-parallelism=10")
		if err == nil {
			made = append(made, m)
			m, err = measureRepeatedly(p, f, 1, o.latency, noop, fmt.Sprintf("%d destroyed", 2*n), "destroy", "-auto-approve",
				"-parallelism=10")
			gone = append(gone, m)
		}
		if err := errors.Join(err, f.close()); err != nil {
			return err
		}
	}
	if err := o.printUnlessFailed(medianMeasurement(made, createTitle), nil); err != nil {
		return err
	}
	return o.printUnlessFailed(medianMeasurement(gone, "destroy them"), nil)
}
