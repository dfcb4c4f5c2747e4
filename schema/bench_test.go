//go:build unix

package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"b2form/schema"
)

const forEachKeys = `
locals {
  names = split("\n", file("names.txt"))
}
bucket "data" {
  for_each = toset([for i in range(100) : tostring(i)])
  name     = "acme-data-${each.key}"
}
key "app" {
  for_each       = toset(local.names)
  name           = each.key
  access         = "read_write"
  buckets        = [bucket.data["7"]]
  name_prefix    = "${each.key}/"
  valid_duration = "90d"
  list_all_bucket_names = true
}
`

// BenchmarkForEach loads one block that makes many keys.
func BenchmarkForEach(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf("app-%d", i)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) { load(b, n+100, forEachKeys, names) })
	}
}

// BenchmarkBlocks loads many written blocks: half buckets, half keys for them.
func BenchmarkBlocks(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		var src strings.Builder
		for i := range n / 2 {
			fmt.Fprintf(&src, `
bucket "b%d" {
  name            = "acme-data-%d"
  info            = { team = "web" }
  lifecycle_rules = keep_only_last_version()
}
key "k%d" {
  name        = "app-%d"
  access      = "read_only"
  buckets     = [bucket.b%d]
  name_prefix = "library/"
  deliver "file" {
    path = "k%d.env"
  }
}
`, i, i, i, i, i, i)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) { load(b, n, src.String(), nil) })
	}
}

// BenchmarkBudget tells what counting the steps of an evaluation costs, as the ratio of
// the time with and without it in the median of pairs.
func BenchmarkBudget(b *testing.B) {
	names := make([]string, 100_000)
	for i := range names {
		names[i] = fmt.Sprintf("app-%d", i)
	}
	dir := write(b, map[string]string{"names.txt": strings.Join(names, "\n"), "main.b2.hcl": forEachKeys})
	took := func(steps int64) float64 {
		o := options(dir)
		o.MaxEvaluationSteps = steps
		runtime.GC()
		start := cpu(b)
		if c, diags := schema.Load(o); diags.HasErrors() || len(c.Resources) != len(names)+100 {
			b.Fatal(diags)
		}
		return (cpu(b) - start).Seconds()
	}
	var ratios []float64
	for first := 0; b.Loop(); first++ {
		var times [2]float64 // with, without
		for i := range times {
			which := (first + i) % 2
			times[which] = took(-int64(which))
		}
		ratios = append(ratios, times[0]/times[1])
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "with/without")
}

func load(b *testing.B, want int, src string, names []string) {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "names.txt"), []byte(strings.Join(names, "\n")), 0o644); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.b2.hcl"), []byte(src), 0o644); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	start := cpu(b)
	defer func() { b.ReportMetric((cpu(b)-start).Seconds()/float64(b.N), "cpu-s/op") }()
	for b.Loop() {
		config, diags := schema.Load(options(dir))
		if diags.HasErrors() || len(config.Resources) != want {
			b.Fatal(len(config.Resources), diags)
		}
	}
}

// cpu is the time this process has computed, which a busy machine does not
// distort as it does the time that passed.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
