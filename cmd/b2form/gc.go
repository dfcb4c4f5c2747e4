package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// collectGarbageLessOften lets the heap grow by about so many bytes from one garbage
// collection to the next. Left to itself Go lets it double, which for a heap of a
// few megabytes means dozens of collections while a large configuration is
// evaluated. A heap that is larger grows by three quarters, a little less than by
// itself: memory is what large accounts run out of first.
//
// The percentage is set by the finalizer of an object that nobody holds, which
// runs some time after each collection and makes another such object. Until then
// the last percentage holds, so it is never very high.
func collectGarbageLessOften(minHeapGrowth uint64) {
	const lowest, highest = 75, 400
	type unheld struct{ _ *byte }
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	var next func(*unheld)
	next = func(*unheld) {
		metrics.Read(live)
		percent := 100 * minHeapGrowth / max(1, live[0].Value.Uint64())
		debug.SetGCPercent(int(min(max(lowest, percent), highest)))
		runtime.SetFinalizer(new(unheld), next)
	}
	next(nil)
}
