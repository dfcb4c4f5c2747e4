package emulator

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"hash"
	"io"
	"sync"
	"sync/atomic"
)

// digests are the SHA-1 and the MD5 of a content, and others that a client
// promises, made while it is stored.
type digests struct {
	sha1, md5 hash.Hash
	others    []hash.Hash
}

func newDigests(others []hash.Hash) *digests { return &digests{sha1.New(), md5.New(), others} }

// addExceptMD5 digests the next piece by all but MD5.
func (d *digests) addExceptMD5(p []byte) {
	d.sha1.Write(p)
	for _, h := range d.others {
		h.Write(p)
	}
}

// sums gives both in hex, once all is added.
func (d *digests) sums() (sha1, md5 string) {
	return hex.EncodeToString(d.sha1.Sum(nil)), hex.EncodeToString(d.md5.Sum(nil))
}

const (
	longContent     = 256 << 10
	mostPiecesAhead = 4 // how far reading may be ahead of storing
	// writeSize keeps writes small. Of large ones Linux makes large pages, and in a
	// virtual machine those are the ones that were given back to the host.
	writeSize = 32 << 10
)

// copyDigested copies so many bytes of r, and digests them. MD5 takes about as long as
// all the rest, so of a long content another goroutine does the rest as far as it gets
// to it: on a busy machine the caller does it by itself, while the piece is in its cache.
func copyDigested(w io.Writer, r io.Reader, length int64, d *digests) error {
	c := copying{w: w, digests: d, pieces: make(chan []byte, mostPiecesAhead), free: make(chan []byte, mostPiecesAhead)}
	wake := make(chan struct{}, 1)
	if length > longContent {
		var helper sync.WaitGroup
		helper.Go(func() {
			for range wake {
				c.storeUnlessBusy()
			}
		})
		defer helper.Wait()
	}
	defer close(wake)
	for length > 0 && !c.failed.Load() {
		piece, err := c.readPiece(r, length)
		if err != nil {
			return err
		}
		c.pieces <- piece // there is room for all
		select {
		case wake <- struct{}{}:
		default:
		}
		d.md5.Write(piece)
		c.storeUnlessBusy()
		length -= int64(len(piece))
	}
	c.storing.Lock()
	defer c.storing.Unlock()
	c.storePending()
	return c.err
}

// copying is a content on its way, in pieces that are used again.
type copying struct {
	*digests
	w                   io.Writer
	pieces, free        chan []byte // read and not stored; to be filled
	allocatedPieceCount int
	storing             sync.Mutex // held by who takes from pieces, so that they stay in order
	err                 error
	failed              atomic.Bool // err is set
}

// readPiece fills a piece, a new one if none is free.
func (c *copying) readPiece(r io.Reader, length int64) ([]byte, error) {
	if len(c.free) == 0 && c.allocatedPieceCount < mostPiecesAhead {
		c.allocatedPieceCount++
		c.free <- make([]byte, min(length, longContent))
	}
	piece := <-c.free
	piece = piece[:min(length, int64(cap(piece)))]
	_, err := io.ReadFull(r, piece)
	return piece, err
}

// storeUnlessBusy stores what was read, unless somebody is at it.
func (c *copying) storeUnlessBusy() {
	if c.storing.TryLock() {
		c.storePending()
		c.storing.Unlock()
	}
}

// storePending stores and digests, but for MD5, what was read; storing is held.
func (c *copying) storePending() {
	for {
		select {
		case piece := <-c.pieces:
			for p := piece; len(p) > 0 && c.err == nil; p = p[min(len(p), writeSize):] {
				if _, c.err = c.w.Write(p[:min(len(p), writeSize)]); c.err != nil {
					c.failed.Store(true)
				}
			}
			c.addExceptMD5(piece)
			c.free <- piece
		default:
			return
		}
	}
}
