package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// mostFileBytes is how many bytes a file that others wrote has at most.
const mostFileBytes = 64 << 20

// readFile reads a file that others wrote: a regular one, which is not too large.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f)
}

// readAll reads what is not too large.
func readAll(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, mostFileBytes+1))
	if err == nil && len(text) > mostFileBytes {
		return nil, fmt.Errorf("it has more than %d MB", mostFileBytes>>20)
	}
	return text, err
}
