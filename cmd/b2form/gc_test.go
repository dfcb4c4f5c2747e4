package main

import (
	"runtime"
	"testing"
)

// A heap of 40 MB grows by about 64 MB between collections, not by 40, as Go has
// it; by more where other tests left something. It goes on being collected.
func TestSpareCollections(t *testing.T) {
	collectGarbageLessOften(64 << 20)
	held := make([]byte, 40<<20)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const garbage = 1 << 30
	var last []byte
	for range garbage >> 20 {
		last = make([]byte, 1<<20)
	}
	runtime.ReadMemStats(&after)
	if n := after.NumGC - before.NumGC; n == 0 || n > 20 {
		t.Errorf("%d collections, want at most about %d", n, garbage/(64<<20)) // 25 without it
	}
	runtime.KeepAlive(held)
	runtime.KeepAlive(last)
}
