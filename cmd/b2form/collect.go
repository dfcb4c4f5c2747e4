package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// spareCollections lets the heap grow by at least so many bytes from one garbage
// collection to the next. Left to itself Go lets it double, which for a heap of a
// few megabytes means dozens of collections while a large configuration is
// evaluated; a heap that is larger than least still doubles.
//
// After each collection the finalizer of an object that nobody holds runs, sets
// the percentage for the next one, and makes another such object.
func spareCollections(least uint64) {
	const smallest = 4 << 20 // what Go takes a smaller heap for
	type unheld struct{ _ *byte }
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	var next func(*unheld)
	next = func(*unheld) {
		metrics.Read(live)
		debug.SetGCPercent(int(max(100, 100*least/max(smallest, live[0].Value.Uint64()))))
		runtime.SetFinalizer(new(unheld), next)
	}
	next(nil)
}
