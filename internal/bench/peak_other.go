//go:build !unix

package main

import "os"

// peakMemoryBytes is not known here.
func peakMemoryBytes(*os.ProcessState) int64 { return 0 }
