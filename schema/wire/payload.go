package wire

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// A Payload is what a file is to hold.
type Payload struct {
	Size int64  // in bytes
	SHA1 string // in hexadecimal digits
	// Open gives the content from its beginning; it may be called several times.
	Open func() (io.ReadCloser, error)
	// SourcePath names the local file that it comes from; "": the configuration has it.
	SourcePath string
}

// TextPayload is the payload of a content that is at hand.
func TextPayload(content string) *Payload {
	size, sum, _ := SizeAndSHA1(strings.NewReader(content)) // memory can be read
	return &Payload{Size: size, SHA1: sum, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}
}

// SizeAndSHA1 reads a content to its end and gives its size in bytes and its SHA-1 in
// hexadecimal digits. The error is the reader's.
func SizeAndSHA1(content io.Reader) (size int64, sum string, err error) {
	hash := sha1.New()
	size, err = io.Copy(hash, content)
	return size, hex.EncodeToString(hash.Sum(nil)), err
}

// VerifyUnchanged reads the content again, and fails with words for people where it is not
// the one that the plan was made from.
func (p *Payload) VerifyUnchanged() error {
	content, err := p.Open()
	if err != nil {
		return &ExplainedError{Summary: "Source cannot be read",
			Detail: fmt.Sprintf("%s was there when the plan was made, but now it cannot be read. Nothing was uploaded. Put it back and "+
				"run the command again.", p.SourcePath), Cause: err}
	}
	size, sum, err := SizeAndSHA1(content)
	_ = content.Close() // it was only read
	if err != nil {
		return &ExplainedError{Summary: "Source cannot be read",
			Detail: fmt.Sprintf("%s cannot be read to its end. Nothing was uploaded.", p.SourcePath), Cause: err}
	}
	if size != p.Size || sum != p.SHA1 {
		return &ExplainedError{Summary: "Source has changed since the plan was made",
			Detail: fmt.Sprintf("%s holds something else than when the plan was made, so it was not uploaded. Run the command again to "+
				"see what would be.", p.SourcePath)}
	}
	return nil
}

// An Upload is one new version of a file.
type Upload struct {
	BucketID    string
	Name        string
	ContentType string // "b2/x-auto": B2 decides by the name
	Info        map[string]string
	// SSEB2Algorithm is the algorithm by which B2 encrypts with keys of its own (SSE-B2):
	// "AES256". "": as the bucket's default says.
	SSEB2Algorithm string
	Payload        *Payload
}

// FileStore is what an API may also offer for what is not JSON, and for files of
// which there are many versions.
type FileStore interface {
	// Put stores a version and returns it as B2 answers. After an unknown outcome
	// nothing is sent again: the error says so.
	Put(ctx context.Context, u Upload) (json.RawMessage, error)
	// Purge deletes every version of the file with exactly this name, and counts as
	// BucketEmptier.Empty does.
	Purge(ctx context.Context, bucketID, name string, progress func(removed int)) (removed int, err error)
}
