package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"b2form/internal/planfile"
	"b2form/internal/view"
	"b2form/schema"
)

// policies are ten that each ask something of every key.
func policies() string {
	var b strings.Builder
	for i := range 10 {
		require := []string{"each.value.valid_duration == null", `!contains(each.value.capabilities, "writeKeys")`}[i%2]
		fmt.Fprintf(&b, "policy \"p%d\" {\n  kinds = [\"key\"]\n  when = !startswith(each.value.name, \"ci-%d\")\n  require = %s\n"+
			"  message = \"Key ${each.value.name}.\"\n}\n", i, i, require)
	}
	return b.String()
}

// judged plans the making of keys and a few buckets with policies.
func judged(t testing.TB, keys int) *planned {
	f := fixed(t, repeated, 100, keys, false)
	if err := os.WriteFile(filepath.Join(f.dir, "policies.b2.hcl"), []byte(policies()), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &planned{}
	p.all(t, f)
	return p
}

func (p *planned) judge(t testing.TB) {
	if diags := p.plan.CheckPolicies(p.config, p.snapshot.Account); diags.HasErrors() {
		t.Fatal(diags)
	}
}

// show does what `b2form show -json FILE` does.
func (p *planned) show(t testing.TB, path string) {
	f, err := planfile.Read(path, schema.Kinds())
	if err == nil {
		err = view.PlanDocument{Plan: f.Plan, NonsensitiveVariables: f.NonsensitiveVariables}.Write(io.Discard)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Ten times as many keys cost ten times as much to judge and to show, counted in allocations.
func TestJudgingIsLinear(t *testing.T) {
	var judging, showing [2]float64
	for i, keys := range []int{100, 1000} {
		p, path := judged(t, keys), filepath.Join(t.TempDir(), "saved.plan")
		p.save(t, path)
		judging[i] = testing.AllocsPerRun(1, func() { p.judge(t) })
		showing[i] = testing.AllocsPerRun(1, func() { p.show(t, path) })
	}
	if judging[1] > 10.5*judging[0] || showing[1] > 10.5*showing[0] {
		t.Errorf("100 and 1000 keys take %v allocations to judge and %v to show", judging, showing)
	}
	if perKey := judging[1] / 1000; perKey > 500 {
		t.Errorf("%v allocations to judge a key by ten policies", perKey)
	}
	// The race detector makes sync.Pool forget some of what it holds, so there it is a tenth more.
	if perKey := showing[1] / 1000; perKey > 350 {
		t.Errorf("%v allocations to show a key", perKey)
	}
}

// BenchmarkJudge measures what ten policies add to a plan, and what show -json of the saved plan takes.
func BenchmarkJudge(b *testing.B) {
	p, path := judged(b, 10_000), filepath.Join(b.TempDir(), "saved.plan")
	p.save(b, path)
	b.Run("policies", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.judge(b)
		}
	})
	b.Run("show", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.show(b, path)
		}
	})
}
