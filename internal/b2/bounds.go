package b2

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"b2form/schema/wire"
)

// How much of a reply is read into memory, by what was asked for.
const (
	maxListing         = 64 << 20 // a thousand buckets at usual sizes stay far below; keys can be asked for in smaller pages
	maxUnsizedDownload = 64 << 20 // of a file whose size nothing names: a shared state that an older b2form has stored
	maxSizedDownload   = 1 << 30  // of a file whose size is named, whatever that is
	maxReply           = 1 << 20  // everything else: one object
	maxErrorReply      = 64 << 10
)

// maxReplySize is the bound of the request's reply.
func (r *request) maxReplySize() int64 {
	switch {
	case r.method == methodDownload && r.downloadSizeIfKnown > 0:
		return min(r.downloadSizeIfKnown, maxSizedDownload)
	case r.method == methodDownload:
		return maxUnsizedDownload
	case strings.HasPrefix(r.method, "b2_list_"):
		return maxListing
	}
	return maxReply
}

// tooLargeMessage says that a reply is larger than its bound.
func tooLargeMessage(bound int64) string {
	size := fmt.Sprint(bound, " bytes")
	if bound%(1<<20) == 0 {
		size = fmt.Sprint(bound>>20, " MiB")
	}
	return "the reply is larger than " + size + ", and was not read"
}

const (
	// minSpeedGrace is how long a reply may take whatever it brings.
	minSpeedGrace = time.Minute
	// minReplyBytesPerSecond is how many bytes a second it must have brought after that.
	minReplyBytesPerSecond = 1 << 10
	// maxStalledTries bounds attempts that were given up for being slow.
	maxStalledTries = 2
)

var errTrickle = fmt.Errorf("the reply trickled in at less than a kilobyte a second: %w", os.ErrDeadlineExceeded)

// readBounded reads the body of a reply, in one allocation where a long reply
// announces its size. It fails with wire.ErrReplyTooLarge beyond the limit, and with
// errTrickle where the body trickles in.
func readBounded(resp *http.Response, limit int64, now func() time.Time) ([]byte, error) {
	if resp.ContentLength > limit {
		return nil, wire.ErrReplyTooLarge
	}
	body := io.LimitReader(&minSpeedReader{body: resp.Body, now: now, start: now()}, limit+1)
	var content []byte
	var err error
	if size := resp.ContentLength; size > 8*bytes.MinRead { // what is left over of it is little
		buf := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
		_, err = buf.ReadFrom(body)
		content = buf.Bytes()
	} else {
		content, err = io.ReadAll(body)
	}
	if int64(len(content)) > limit {
		return nil, wire.ErrReplyTooLarge
	}
	return content, err
}

// A minSpeedReader reads a body, and fails once that is too slow.
type minSpeedReader struct {
	body      io.Reader
	now       func() time.Time
	start     time.Time
	bytesRead int64
}

func (w *minSpeedReader) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	w.bytesRead += int64(n)
	took := w.now().Sub(w.start)
	if err == nil && took > minSpeedGrace && float64(w.bytesRead) < took.Seconds()*minReplyBytesPerSecond {
		err = errTrickle
	}
	return n, err
}
