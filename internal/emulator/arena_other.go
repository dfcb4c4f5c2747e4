//go:build !linux

package emulator

import "os"

func newMemoryFile() *os.File { return nil }

func freeArenaRange(*os.File, int64, int64) {}

func reopenArena(*os.File) *os.File { return nil }
