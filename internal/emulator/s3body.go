package emulator

import (
	"bufio"
	"cmp"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// What X-Amz-Content-Sha256 says when it is not a digest.
const (
	unsignedPayload        = "UNSIGNED-PAYLOAD"
	streamingSigned        = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamingSignedTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	streamingTrailer       = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// A payload is the content of a request. It reads to its end, and gives io.EOF
// only if everything that the request promises of it is true: length, digests,
// signatures of chunks. What it found wrong stays in err, whoever read it.
type payload struct {
	in                 io.Reader
	bytesLeft          int64 // bytes still promised
	checks             []check
	chunkedContent     *chunks // if the content comes in chunks
	checksFedElsewhere bool    // somebody else feeds the checks
	ended              bool
	err                error
}

// A check compares a digest of the content with the promised one.
type check struct {
	hash.Hash
	header  string // that promises or, "" for none of them, echoes
	want    string
	encode  func([]byte) string
	refusal func(got string) *s3Error
}

// checksums are the x-amz-checksum- headers that can vouch for content.
func newChecksumIfKnown(name string) hash.Hash {
	switch name {
	case "crc32":
		return crc32.NewIEEE()
	case "crc32c":
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case "crc64nvme":
		return crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5))
	case "sha1":
		return sha1.New()
	case "sha256":
		return sha256.New()
	}
	return nil
}

const checksumHeader = "X-Amz-Checksum-"

// newPayload says how the content of a request is to be read. key signs chunks.
func newPayload(r *http.Request, s *signature, key []byte, op *s3Operation) (*payload, error) {
	p := &payload{in: r.Body, bytesLeft: r.ContentLength}
	trailer := ""
	switch kind := s.contentSHA256; kind {
	case unsignedPayload:
	case streamingSigned, streamingSignedTrailer, streamingTrailer:
		var err error
		if p.bytesLeft, err = strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64); err != nil || p.bytesLeft < 0 {
			return nil, newS3Error(411, "MissingContentLength", "You must provide the x-amz-decoded-content-length HTTP header.")
		}
		p.chunkedContent = &chunks{in: bufio.NewReaderSize(r.Body, 16<<10), previousSignature: s.value,
			hasTrailers: kind != streamingSigned}
		if kind != streamingTrailer {
			p.chunkedContent.sign = s.chunkSigner(key)
			p.chunkedContent.digest = sha256.New()
		}
		p.in = p.chunkedContent
		trailer = strings.ToLower(r.Header.Get("X-Amz-Trailer"))
	default:
		if !isHex(kind, 2*sha256.Size) {
			return nil, s3Invalid("x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a valid sha256 " +
				"value.")
		}
		p.checks = append(p.checks, sha256Check(kind))
	}
	return p, p.readPromises(r.Header, trailer, op)
}

func sha256Check(want string) check {
	return check{Hash: sha256.New(), want: want, encode: hex.EncodeToString, refusal: func(got string) *s3Error {
		return newS3Error(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.",
			textElement{"ClientComputedContentSHA256", want}, textElement{"S3ComputedContentSHA256", got})
	}}
}

// readPromises takes the digests that headers promise, and the name of that
// which follows the content.
func (p *payload) readPromises(h http.Header, trailerName string, op *s3Operation) error {
	if want := h.Get("Content-Md5"); want != "" {
		sum, err := base64.StdEncoding.DecodeString(want)
		if err != nil || len(sum) != md5.Size {
			return newS3Error(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
		}
		refusal := func(got string) *s3Error {
			return newS3Error(400, "BadDigest", "The Content-MD5 you specified did not match what we received.",
				textElement{"ExpectedDigest", want}, textElement{"CalculatedDigest", got})
		}
		p.checks = append(p.checks, check{Hash: md5.New(), want: want, encode: base64.StdEncoding.EncodeToString, refusal: refusal})
	}
	for name := range h {
		about := strings.TrimPrefix(name, checksumHeader)
		if about == name || op.hasAnyFlag(s3HasWholeObjectChecksums) || about == "Algorithm" || about == "Mode" || about == "Type" {
			continue
		}
		if err := p.addPromisedChecksum(strings.ToLower(name), h.Get(name)); err != nil {
			return err
		}
	}
	if trailerName == "" {
		return nil
	}
	return p.addPromisedChecksum(strings.TrimSpace(trailerName), "")
}

// addPromisedChecksum adds the checksum of a header; want is "" if it follows the content.
func (p *payload) addPromisedChecksum(header, want string) error {
	name, isChecksum := strings.CutPrefix(header, strings.ToLower(checksumHeader))
	sum := newChecksumIfKnown(name)
	if !isChecksum || sum == nil {
		return newS3Error(400, "InvalidRequest", "The value specified in the x-amz-trailer header is not supported: "+header)
	}
	if want != "" {
		if raw, err := base64.StdEncoding.DecodeString(want); err != nil || len(raw) != sum.Size() {
			return newS3Error(400, "InvalidRequest", "Value for "+header+" header is invalid.")
		}
	}
	refusal := func(string) *s3Error {
		return newS3Error(400, "BadDigest", "The "+strings.ToUpper(name)+" you specified did not match the calculated checksum.")
	}
	p.checks = append(p.checks, check{sum, header, want, base64.StdEncoding.EncodeToString, refusal})
	return nil
}

func (p *payload) Read(b []byte) (int, error) {
	if p.err != nil || p.ended {
		return 0, cmp.Or(p.err, io.EOF)
	}
	n, err := p.in.Read(b)
	p.bytesLeft -= int64(n)
	for i := 0; i < len(p.checks) && !p.checksFedElsewhere; i++ {
		p.checks[i].Write(b[:n])
	}
	switch {
	case p.bytesLeft < 0:
		p.err = newS3Error(400, "IncompleteBody", "The content is longer than its Content-Length.")
	case errors.Is(err, io.EOF):
		p.ended = true
		if !p.checksFedElsewhere {
			p.err = p.verify()
		}
	case err != nil:
		p.err = err
		if asS3Error(err).code == "InternalError" {
			p.err = incompleteBody()
		}
	}
	return n, p.err
}

func incompleteBody() *s3Error {
	return newS3Error(400, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
}

// verify compares what came with what was promised.
func (p *payload) verify() error {
	if p.bytesLeft > 0 {
		return incompleteBody()
	}
	for i := range p.checks {
		c := &p.checks[i]
		if c.want == "" {
			c.want = p.chunkedContent.trailer(c.header)
			if c.want == "" {
				return newS3Error(400, "MalformedTrailerError", "The request contained trailing data that was not well-formed "+
					"or did not conform to our published schema.")
			}
		}
		if got := c.encode(c.Sum(nil)); got != c.want {
			return c.refusal(got)
		}
	}
	return nil
}

// takeDigestsToFeed gives the digests that the content is compared by. Who takes them
// feeds them, before finish.
func (p *payload) takeDigestsToFeed() (digests []hash.Hash) {
	p.checksFedElsewhere = true
	for _, c := range p.checks {
		digests = append(digests, c.Hash)
	}
	return digests
}

// readToEndAndVerify reads what is left, which is nothing or what ends chunked content.
func (p *payload) readToEndAndVerify() error {
	for !p.ended && p.err == nil {
		var rest [64]byte
		_, _ = p.Read(rest[:]) // the error stays
	}
	if p.err == nil && p.checksFedElsewhere {
		p.err = p.verify()
	}
	return p.err
}

// setChecksumHeaders repeats the checksums of content that was kept.
func (p *payload) setChecksumHeaders(h http.Header) {
	for _, c := range p.checks {
		if c.header != "" {
			h.Set(c.header, c.want)
		}
	}
}

// chunks reads content that comes in chunks of its own, inside the body: their
// size in hex, and their signature if they have one; then perhaps trailers.
type chunks struct {
	in                    *bufio.Reader
	chunkBytesLeft        int64  // of the chunk
	previousSignature     string // the signature before
	claimedSignature      string // that of the chunk
	begun                 bool
	sign                  func(kind, prevSignature, digest string) string // nil: unsigned
	digest                hash.Hash
	hasTrailers           bool
	trailerNamesAndValues []string // trailers, name and value in turn
}

func malformedChunk() *s3Error {
	return newS3Error(400, "InvalidRequest", "The chunks of the content are malformed.")
}

// chunkSigner makes the signatures of chunks and trailers.
func (s *signature) chunkSigner(key []byte) func(kind, last, digest string) string {
	return func(kind, last, digest string) string {
		return hex.EncodeToString(hmacSHA256(key, signAlgorithm+"-"+kind+"\n"+s.madeAt+"\n"+s.scope()+"\n"+last+"\n"+digest))
	}
}

func (c *chunks) Read(b []byte) (int, error) {
	for c.chunkBytesLeft == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n, err := c.in.Read(b[:min(int64(len(b)), c.chunkBytesLeft)])
	c.chunkBytesLeft -= int64(n)
	if c.digest != nil {
		c.digest.Write(b[:n])
	}
	if errors.Is(err, io.EOF) {
		err = incompleteBody()
	}
	return n, err
}

// next ends the chunk before and begins the next one. After the last it is
// io.EOF.
func (c *chunks) next() error {
	if c.begun {
		if err := c.endChunk(); err != nil {
			return err
		}
	}
	c.begun = true
	line, err := c.readLine()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(line, ";")
	c.chunkBytesLeft, err = strconv.ParseInt(size, 16, 64)
	if err != nil || c.chunkBytesLeft < 0 || c.chunkBytesLeft > maxUpload {
		return malformedChunk()
	}
	c.claimedSignature = strings.TrimPrefix(extension, "chunk-signature=")
	if c.chunkBytesLeft > 0 {
		return nil
	}
	if err := c.checkChunkSignature(); err != nil {
		return err
	}
	if err := c.readAndVerifyTrailers(); err != nil {
		return err
	}
	return io.EOF
}

func (c *chunks) endChunk() error {
	if err := c.checkChunkSignature(); err != nil {
		return err
	}
	if line, err := c.readLine(); err != nil || line != "" {
		return malformedChunk()
	}
	return nil
}

func (c *chunks) checkChunkSignature() error {
	if c.sign == nil {
		return nil
	}
	want := c.sign("PAYLOAD", c.previousSignature, emptySHA256+"\n"+hex.EncodeToString(c.digest.Sum(nil)))
	c.digest.Reset()
	if !hmac.Equal([]byte(want), []byte(c.claimedSignature)) {
		return newS3Error(403, "SignatureDoesNotMatch", "Signature validation failed for a chunk of the content")
	}
	c.previousSignature = want
	return nil
}

// Bounds of what stands between chunks.
const (
	maxChunkLine = 4096
	maxTrailers  = 16
)

func (c *chunks) readLine() (string, error) {
	text, err := c.in.ReadSlice('\n')
	if err != nil || len(text) > maxChunkLine {
		return "", incompleteBody()
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), nil
}

// readAndVerifyTrailers reads to the end. Clients leave out the last empty line, or not;
// minio-go has one between a trailer and its signature too.
func (c *chunks) readAndVerifyTrailers() error {
	signed, claimed := "", ""
	unsigned := c.sign == nil || !c.hasTrailers
	for range maxTrailers {
		line, err := c.readLine()
		if err != nil || line == "" && (unsigned || claimed != "" || signed == "") {
			break
		}
		if line == "" {
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if name == "x-amz-trailer-signature" {
			claimed = value
			continue
		}
		signed += name + ":" + value + "\n"
		c.trailerNamesAndValues = append(c.trailerNamesAndValues, name, value)
	}
	if unsigned {
		return nil
	}
	digest := sha256.Sum256([]byte(signed))
	if want := c.sign("TRAILER", c.previousSignature, hex.EncodeToString(digest[:])); !hmac.Equal([]byte(want), []byte(claimed)) {
		return newS3Error(403, "SignatureDoesNotMatch", "Signature validation failed for the trailers of the content")
	}
	return nil
}

func (c *chunks) trailer(name string) string {
	if c == nil {
		return ""
	}
	for i := 0; i < len(c.trailerNamesAndValues); i += 2 {
		if c.trailerNamesAndValues[i] == name {
			return c.trailerNamesAndValues[i+1]
		}
	}
	return ""
}
