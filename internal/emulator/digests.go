package emulator

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"hash"
	"sync"
)

// digests are the SHA-1 and the MD5 of what is written. Of a long content they
// are made while more of it arrives, and beside each other: each takes longer
// than all the rest of an upload.
type digests struct {
	sha1, md5  hash.Hash
	free, full chan []byte // nil for a short content
	done       chan struct{}
}

const (
	longContent = 256 << 10
	digestChunk = 128 << 10
)

func newDigests(length int64) *digests {
	d := &digests{sha1: sha1.New(), md5: md5.New()}
	if length < longContent {
		return d
	}
	d.free, d.full, d.done = make(chan []byte, 2), make(chan []byte, 2), make(chan struct{})
	for range cap(d.free) {
		d.free <- make([]byte, digestChunk)
	}
	go d.work()
	return d
}

func (d *digests) work() {
	defer close(d.done)
	for chunk := range d.full {
		var both sync.WaitGroup
		both.Go(func() { d.md5.Write(chunk) })
		d.sha1.Write(chunk)
		both.Wait()
		d.free <- chunk[:digestChunk]
	}
}

// Write never fails.
func (d *digests) Write(p []byte) (int, error) {
	if d.full == nil {
		d.sha1.Write(p)
		return d.md5.Write(p)
	}
	for rest := p; len(rest) > 0; {
		chunk := <-d.free
		n := copy(chunk, rest)
		d.full <- chunk[:n]
		rest = rest[n:]
	}
	return len(p), nil
}

// sums gives both in hex, once all is written.
func (d *digests) sums() (sha1, md5 string) {
	if d.full != nil {
		close(d.full)
		<-d.done
	}
	return hex.EncodeToString(d.sha1.Sum(nil)), hex.EncodeToString(d.md5.Sum(nil))
}
