package main

import (
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"

	"b2form/internal/planfile"
	"b2form/plan"
	"b2form/schema"
)

// save does what `b2form plan -out` does beyond a plan: it keeps what the digest is made of, compares what is needed with what the
// credentials may do, digests the configuration, and writes the file.
func (p *planned) save(t testing.TB, path string) {
	made, diags := plan.Make(plan.Request{Config: p.config, Kinds: schema.Kinds(), Snapshot: p.snapshot, Entries: p.state.Entries,
		FillSavedForm: true})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if lacking := made.MissingCapabilities(p.snapshot.Account); len(lacking) > 0 {
		t.Fatal(lacking)
	}
	err := planfile.Write(path, &planfile.File{ProgramVersion: "bench", CommandToApply: "apply", Plan: made,
		ConfigDigest: schema.MeaningDigest(p.config.Files), NonsensitiveVariables: p.config.NonsensitiveVariables})
	if err != nil {
		t.Fatal(err)
	}
}

// Saving a plan, its digest and the comparison with the credentials ask B2 for nothing.
func TestSavingBudget(t *testing.T) {
	f := fixed(t, repeated, 100, 100, false)
	path := filepath.Join(t.TempDir(), "photos.plan")
	synctest.Test(t, func(t *testing.T) {
		f.resetCountsAndLatency(away)
		p := planned{way: directTransport{f.service}}
		p.all(t, f)
		if len(p.plan.Changes) != 200 {
			t.Errorf("%d changes", len(p.plan.Changes))
		}
		before, _ := f.counts()
		p.save(t, path)
		if after, _ := f.counts(); after != before {
			t.Errorf("saving sent %d requests", after-before)
		}
	})
}

// BenchmarkSave measures a plan that makes everything, and the same plan when it is saved, read again and compared. What
// saving adds is the difference between save and make.
func BenchmarkSave(b *testing.B) {
	for _, keys := range []int{100, 10_000} {
		buckets := min(keys, 100)
		b.Run(fmt.Sprintf("%d", keys), func(b *testing.B) {
			f := fixed(b, repeated, buckets, keys, false)
			var p planned
			p.all(b, f)
			path := filepath.Join(b.TempDir(), "photos.plan")
			b.Run("make", func(b *testing.B) {
				for b.Loop() {
					p.make(b)
				}
			})
			b.Run("save", func(b *testing.B) {
				for b.Loop() {
					p.save(b, path)
				}
			})
			b.Run("read", func(b *testing.B) {
				p.save(b, path)
				for b.Loop() {
					if _, err := planfile.Read(path, schema.Kinds()); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
