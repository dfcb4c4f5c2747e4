//go:build unix

package state_test

import (
	"bytes"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"b2form/internal/state"
	"b2form/internal/testrun/engines"
	"b2form/schema/addr"
)

// keysWithRetirees is a state of n keys, each of which has replaced two others.
func keysWithRetirees(tb testing.TB, n int) []byte {
	tb.Helper()
	s := &state.State{}
	for i := range n {
		s.Entries = append(s.Entries, addr.StateEntry{Addr: address(tb, fmt.Sprintf("key.k[%d]", i)), Identity: fmt.Sprint("k", i),
			ID:       fmt.Sprint(i),
			Retiring: []addr.RetiringObject{{ID: fmt.Sprint(i, "a"), Name: "a"}, {ID: fmt.Sprint(i, "b"), Name: "b"}}})
	}
	var b bytes.Buffer
	must(tb, s.Encode(&b))
	return b.Bytes()
}

// BenchmarkParse reads a state, which is searched for objects that it names twice.
func BenchmarkParse(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		data := keysWithRetirees(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := state.Parse("b2form.state.json", data)
				must(b, err)
			}
		})
	}
}

// Ten times as many entries take about ten times as long, and not a hundred times.
func TestParsingIsLinear(t *testing.T) {
	computed := func(n int) time.Duration {
		data := keysWithRetirees(t, n)
		least := time.Duration(1 << 62)
		for range 3 {
			start := cpuTime(t)
			_, err := state.Parse("b2form.state.json", data)
			must(t, err)
			least = min(least, cpuTime(t)-start)
		}
		return least
	}
	few, many := computed(1000), computed(10_000)
	if many > 40*few {
		t.Errorf("1000 entries take %v, 10 000 take %v", few, many)
	}
}

// Reading a state from where it is kept takes memory in proportion to its entries.
func TestReadingIsLinear(t *testing.T) {
	for _, e := range engines.All() {
		t.Run(e.Name, func(t *testing.T) {
			allocated := func(n int) uint64 {
				st, err := state.Parse("b2form.state.json", keysWithRetirees(t, n))
				must(t, err)
				b := connected(t, served(t, e, time.Now), time.Now, nil)
				s := opened(t, b, state.Options{})
				must(t, s.Restore(st))
				must(t, s.Close())
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				if got := readShared(t, b); len(got.Entries) != n {
					t.Errorf("%d entries, want %d", len(got.Entries), n)
				}
				runtime.ReadMemStats(&after)
				return after.TotalAlloc - before.TotalAlloc
			}
			if few, many := allocated(100), allocated(1000); many > 15*few {
				t.Errorf("100 entries take %d bytes, 1000 take %d", few, many)
			}
		})
	}
}

// cpuTime is how long this process has computed, whatever else the machine does.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	must(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
