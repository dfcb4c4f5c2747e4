package emulator

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"hash"
	"io"
	"sync"
)

// digests are the SHA-1 and the MD5 of a content, and others that a client
// promises, made while it is stored. Of a
// long one all but the MD5, which takes longest, are made beside the rest.
type digests struct {
	sha1, md5 hash.Hash
	others    []hash.Hash
	queue     chan *taken // nil for a short content
	working   sync.WaitGroup
}

// A taken is a piece of content that is being digested: its bytes must not
// change before that is done.
type taken struct {
	data     []byte
	digested sync.WaitGroup
}

const longContent = 256 << 10

func newDigests(length int64, others []hash.Hash) *digests {
	d := &digests{sha1: sha1.New(), md5: md5.New(), others: others}
	if length < longContent {
		return d
	}
	d.queue = make(chan *taken, copyBuffers)
	d.working.Go(func() {
		for t := range d.queue {
			d.aside(t.data)
			t.digested.Done()
		}
	})
	return d
}

func (d *digests) aside(p []byte) {
	d.sha1.Write(p)
	for _, h := range d.others {
		h.Write(p)
	}
}

// take adds the next piece.
func (d *digests) take(p []byte) *taken {
	t := &taken{data: p}
	if d.queue == nil {
		d.aside(p)
	} else {
		t.digested.Add(1)
		d.queue <- t
	}
	d.md5.Write(p)
	return t
}

// sums gives both in hex, once all is taken. It must be called once.
func (d *digests) sums() (sha1, md5 string) {
	if d.queue != nil {
		close(d.queue)
		d.working.Wait()
	}
	return hex.EncodeToString(d.sha1.Sum(nil)), hex.EncodeToString(d.md5.Sum(nil))
}

const (
	copyBuffers = 4
	// writeSize keeps writes small. Of large ones Linux makes large pages, and in a
	// virtual machine those are the ones that were given back to the host.
	writeSize = 32 << 10
)

// copyDigested copies so many bytes of r, and has them digested.
func copyDigested(w io.Writer, r io.Reader, length int64, d *digests) error {
	var ring [copyBuffers]*taken
	for i := 0; length > 0; i++ {
		slot := &ring[i%copyBuffers]
		if *slot == nil {
			*slot = &taken{data: make([]byte, min(length, longContent))}
		}
		(*slot).digested.Wait()
		data := (*slot).data[:min(length, longContent)]
		if _, err := io.ReadFull(r, data); err != nil {
			return err
		}
		*slot = d.take(data)
		length -= int64(len(data))
		for ; len(data) > 0; data = data[min(len(data), writeSize):] {
			if _, err := w.Write(data[:min(len(data), writeSize)]); err != nil {
				return err
			}
		}
	}
	return nil
}
