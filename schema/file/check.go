package file

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/kind"
)

// Limits of names and headers: "Files" in the B2 documentation.
const (
	mostName    = 1024 // bytes
	mostSegment = 250  // bytes between slashes
	// mostHeaders is for the headers of name and info together, and
	// mostEncrypted where the file is encrypted, as B2 does by itself since
	// September 2026.
	mostHeaders   = 7000
	mostEncrypted = 2048
)

var (
	hexDigits = regexp.MustCompile(`^[0-9a-f]+$`)
	mediaType = regexp.MustCompile("^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+[ \t]*(;[ -~]*)?$")
)

func isSHA1(s string) bool { return len(s) == 40 && hexDigits.MatchString(s) }

// autoType lets B2 choose the type by the name.
const autoType = "b2/x-auto"

func checkFileName(v cty.Value) kind.Problems {
	s := v.AsString()
	const summary = "Invalid file name"
	longest := 0
	for segment := range strings.SplitSeq(s, "/") {
		longest = max(longest, len(segment))
	}
	switch {
	case s == "":
		return kind.Errorf(summary, "The name of a file is empty.")
	case len(s) > mostName:
		return kind.Errorf(summary, "The name of a file has at most %d bytes; this one has %d.", mostName, len(s))
	case !utf8.ValidString(s):
		return kind.Errorf(summary, "The name of a file is text in UTF-8; %q is not.", s)
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return kind.Errorf(summary, "The name of a file has no control characters; %q has one.", s)
	case strings.Contains(s, `\`):
		return kind.Errorf(summary, "The name of a file has no backslashes; write %q.", strings.ReplaceAll(s, `\`, "/"))
	case strings.HasPrefix(s, "/"):
		return kind.Errorf(summary, "The name of a file does not start with a slash: write %q.", strings.TrimLeft(s, "/"))
	case strings.Contains(s, "//"):
		return kind.Errorf(summary, "The name of a file has no two slashes in a row; %q has.", s)
	case longest > mostSegment:
		return kind.Errorf(summary, "Between slashes the name of a file has at most %d bytes; one part of this has %d.", mostSegment,
			longest)
	case strings.HasSuffix(s, "/"):
		return kind.Warnf("File name ends with a slash", "Programs take %q for an empty folder. B2 needs no folders: they are there "+
			"once a file's name begins with them.", s)
	}
	return nil
}

func checkSHA1(v cty.Value) kind.Problems {
	if !isSHA1(v.AsString()) {
		return kind.Errorf("Invalid SHA-1", "A SHA-1 is 40 hexadecimal digits, as filesha1() gives them. Leave sha1 out to have it "+
			"follow from the content.")
	}
	return nil
}

func checkContentType(v cty.Value) kind.Problems {
	switch s := v.AsString(); {
	case s == autoType:
		return kind.Errorf("Invalid content type", "Leave content_type out to have B2 decide by the name; %q is never what a file has.",
			autoType)
	case !mediaType.MatchString(s):
		return kind.Errorf("Invalid content type", "%q is not a media type. Write one such as \"text/html; charset=utf-8\", or leave "+
			"content_type out.", s)
	}
	return nil
}

// downloadHeaderInfoKeys are the pairs that downloads show as headerKeys of their own
// ("b2_upload_file").
func downloadHeaderInfoKeys() []string {
	return []string{"b2-cache-control", "b2-content-disposition", "b2-content-encoding", "b2-content-language", "b2-expires"}
}

func checkFileInfo(v cty.Value) kind.Problems {
	return kind.CheckInfo("file", v, func(key string) kind.Problems {
		if !strings.HasPrefix(key, "b2-") || slices.Contains(downloadHeaderInfoKeys(), key) {
			return nil
		}
		return kind.Errorf("Invalid info key", "Info keys that start with \"b2-\" are reserved by Backblaze, but for %s.%s",
			strings.Join(downloadHeaderInfoKeys(), ", "), words.DidYouMean(key, "", downloadHeaderInfoKeys()))
	})
}

// checkFile judges attributes together.
func checkFile(v kind.Values) kind.Problems {
	content, source := v.GetAttr("content"), v.GetAttr("source")
	switch {
	case content.IsNull() && source.IsNull():
		return kind.Errorf("File without content", "Say what the file holds, by content = \"…\" or by source = \"PATH\".")
	case !content.IsNull() && !source.IsNull():
		return kind.Errorf("Content and source at once",
			"The file holds content or what is in the file at source. Remove one of them.").PrefixPaths(cty.GetAttrPath("source"))
	}
	if sum := v.GetAttr("sha1"); !content.IsNull() && content.IsKnown() && sum.IsKnown() && sum.AsString() != sha1OfKnownText(content) {
		return kind.Errorf("Content with another SHA-1",
			"The content does not have this SHA-1. Correct one of them, or leave sha1 out.").PrefixPaths(cty.GetAttrPath("sha1"))
	}
	return checkHeadersSize(v.GetAttr("name"), v.GetAttr("info"))
}

// checkHeadersSize weighs what name and info come to as headers, percent-encoded and
// with their line ends.
func checkHeadersSize(name, info cty.Value) kind.Problems {
	if !name.IsKnown() || !info.IsWhollyKnown() || info.IsNull() {
		return nil
	}
	size := headerSize("X-Bz-File-Name", name.AsString())
	for key, value := range info.AsValueMap() {
		size += headerSize("X-Bz-Info-"+key, value.AsString())
	}
	at := cty.GetAttrPath("info")
	switch {
	case size > mostHeaders:
		return kind.Errorf("Name and info too long", "Name and info of a file come to at most %d bytes as headers; these are %d.",
			mostHeaders, size).PrefixPaths(at)
	case size > mostEncrypted:
		return kind.Warnf("Name and info may be too long", "B2 takes at most %d bytes of headers for name and info of an encrypted "+
			"file, and it encrypts by itself; these are %d.", mostEncrypted, size).PrefixPaths(at)
	}
	return nil
}

func headerSize(name, value string) int {
	return len(name) + len(": ") + len(url.QueryEscape(value)) + len("\r\n")
}

// Pairs that programs of Backblaze write with what they upload. They tell of that content
// alone.
const (
	largeSHA1    = "large_file_sha1"
	lastModified = "src_last_modified_millis"
	ownKeyID     = "sse_c_key_id" // of the key, held by the program, that the content is encrypted with
)

func clientInfoKeys() []string { return []string{largeSHA1, lastModified, ownKeyID} }

// Modes and the algorithm of encryption ("Server-Side Encryption").
const (
	sseB2  = "SSE-B2" // B2 holds the key
	sseC   = "SSE-C"  // who uploads holds it
	aes256 = "AES256"
)

// checkEncryptionMode: nothing is uploaded without encryption since September 2026, and SSE-C
// needs the key with every request.
func checkEncryptionMode(v cty.Value) kind.Problems {
	const summary = "Invalid encryption mode"
	switch s := v.AsString(); {
	case s == sseB2:
		return nil
	case strings.EqualFold(s, sseB2):
		return kind.Errorf(summary, "%q is not an encryption mode. Did you mean %q?", s, sseB2)
	case strings.EqualFold(s, "none"), s == "":
		return kind.Errorf("Encryption cannot be turned off", "B2 encrypts every new file since September 2026 and no longer accepts %q. "+
			"Use \"SSE-B2\" or leave server_side_encryption out.", s)
	case strings.EqualFold(s, sseC):
		return kind.Errorf(summary, "b2form holds no keys for the encryption of files, which SSE-C would need. Use \"SSE-B2\", or upload "+
			"the file with a program that has the key.")
	default:
		return kind.Errorf(summary, "%q is not an encryption mode. Use \"SSE-B2\".", s)
	}
}

func checkEncryptionAlgorithm(v cty.Value) kind.Problems {
	if s := v.AsString(); s != aes256 {
		return kind.Errorf("Invalid encryption algorithm", "%q is not an encryption algorithm that B2 has. Use %q.", s, aes256)
	}
	return nil
}

// isEncryptionLeftAlone: SSE-C is never declared, only kept as it is live, which an upload
// without the key cannot do. checkChange warns of that.
func isEncryptionLeftAlone(p kind.Comparison) bool {
	return p.Want.GetAttr(encryptionAttr).IsNull() || isEncryptedWithSSEC(p.Want)
}

const encryptionAttr = "server_side_encryption"

// isEncryptedWithSSEC reports whether a file is encrypted with a key that somebody else holds.
func isEncryptedWithSSEC(v kind.AttrReader) bool {
	e := v.GetAttr(encryptionAttr)
	return e.IsWhollyKnown() && !e.IsNull() && e.GetAttr("mode").RawEquals(cty.StringVal(sseC))
}

// warnEncryptionKeyLost warns of an update after which the file is not encrypted as before: content
// under a key of one's own (SSE-C) needs that key with every request.
func warnEncryptionKeyLost(before, after cty.Value) kind.Problems {
	if before.IsNull() {
		return nil
	}
	_, had := infoMapIfKnown(before)[ownKeyID]
	_, declared := infoMapIfKnown(after)[ownKeyID]
	if (!had || declared) && !isEncryptedWithSSEC(before) {
		return nil
	}
	becomes := "as the bucket's default says"
	if !after.GetAttr(encryptionAttr).IsNull() && !isEncryptedWithSSEC(after) {
		becomes = "with a key of B2's (" + sseB2 + ")"
	}
	return kind.Warnf("File loses its own encryption key",
		"A program encrypted this file with a key of its own (%s). b2form uploads the new version without that key, encrypted %s. "+
			"To leave the file to that program, stop managing it: write a removed block.", sseC,
		becomes).PrefixPaths(cty.GetAttrPath("info"))
}

// sameInfoButClientKeys passes over what other programs wrote, unless it is declared.
func sameInfoButClientKeys(p kind.Comparison) bool {
	want, live := infoMapIfKnown(p.Want), infoMapIfKnown(p.Live)
	for _, key := range clientInfoKeys() {
		if _, declared := want[key]; !declared {
			delete(live, key)
		}
	}
	return maps.Equal(want, live)
}

func infoMapIfKnown(v kind.AttrReader) map[string]string {
	out := map[string]string{}
	info := v.GetAttr("info")
	if info.IsNull() || !info.IsWhollyKnown() {
		return out
	}
	for key, value := range info.AsValueMap() {
		out[key] = value.AsString()
	}
	return out
}
