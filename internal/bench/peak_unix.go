//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemoryBytes is the most memory, in bytes, that an ended process had resident at once.
func peakMemoryBytes(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10 // the others count in kilobytes
}
