package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"b2form/internal/emulator"
)

// A measurement is one row of the table: something run several times.
type measurement struct {
	title           string
	latency         time.Duration
	requests        int
	roundTrips      int
	wall, cpu       time.Duration // medians
	peakMemoryBytes int64         // the largest
}

// measureRepeatedly runs the program so many times and sums up. before prepares each run
// and is not measured; the output of each must hold want.
func measureRepeatedly(p program, f *fixture, times int, latency time.Duration, before func() error, want string,
	args ...string) (measurement,
	error) {
	m := measurement{latency: latency}
	var walls, cpus []time.Duration
	for range times {
		if err := before(); err != nil {
			return m, err
		}
		if f != nil {
			f.resetCountsAndLatency(latency)
		}
		r, err := p.run(f, args...)
		if err != nil {
			return m, err
		}
		if !strings.Contains(r.Output, want) {
			return m, fmt.Errorf("%v did not print %q but:\n%s", args, want, r.Output)
		}
		walls, cpus, m.peakMemoryBytes = append(walls, r.Wall), append(cpus, r.CPU), max(m.peakMemoryBytes, r.PeakMemoryBytes)
		if f != nil {
			m.requests, m.roundTrips = f.counts()
		}
	}
	m.wall, m.cpu = median(walls), median(cpus)
	return m, nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// medianMeasurement is the measurement with the median wall time.
func medianMeasurement(all []measurement, caseTitle string) measurement {
	slices.SortFunc(all, func(a, b measurement) int { return int(a.wall - b.wall) })
	m := all[len(all)/2]
	m.title = caseTitle
	return m
}

func noop() error { return nil }

const startTitle = "`b2form version`"

// measureStartUp measures how long the program takes to do nothing.
func measureStartUp(p program, times int) (measurement, error) {
	m, err := measureRepeatedly(p, nil, times, 0, noop, "b2form", "version")
	m.title = startTitle
	return m, err
}

const noChanges = "No changes."

// measureIdlePlan measures a plan with nothing to do.
func measureIdlePlan(p program, f *fixture, times int, latency time.Duration) (measurement, error) {
	return measureRepeatedly(p, f, times, latency, noop, noChanges, "plan")
}

// measurePlanWithRefusals measures it while B2 refuses the first listing of each kind and
// wants a second's pause.
func measurePlanWithRefusals(p program, f *fixture, times int, latency time.Duration) (measurement, error) {
	before := func() error {
		for _, method := range []string{"b2_list_buckets", "b2_list_keys"} {
			f.QueueFault(emulator.Fault{Method: method, Status: 429, Code: "too_many_requests", RetryAfter: 1})
		}
		return nil
	}
	return measureRepeatedly(p, f, times, latency, before, noChanges, "plan")
}

func (m measurement) markdownRow() string {
	trips, own := "–", m.wall
	if m.latency > 0 {
		trips = fmt.Sprint(m.roundTrips)
		own -= time.Duration(m.roundTrips) * m.latency
	}
	requests := fmt.Sprint(m.requests)
	if m.requests == 0 {
		requests, trips = "–", "–"
	}
	memory := "–"
	if m.peakMemoryBytes > 0 {
		memory = fmt.Sprintf("%d MB", (m.peakMemoryBytes+500_000)/1_000_000)
	}
	return fmt.Sprintf("| %-46s | %7s | %8s | %11s | %8s | %8s | %8s | %7s |",
		m.title, shortDuration(m.latency), requests, trips, shortDuration(m.wall), shortDuration(own), shortDuration(m.cpu), memory)
}

const header = "" +
	`| what                                           | latency | requests | round trips |     wall |      own |      CPU |  memory |` +
	"\n" +
	`|------------------------------------------------|--------:|---------:|------------:|---------:|---------:|---------:|--------:|`

// shortDuration writes a duration with as many digits as one can trust.
func shortDuration(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
