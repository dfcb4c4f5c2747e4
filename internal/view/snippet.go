package view

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/visible"
	"b2form/internal/words"
)

// maxSnippet is how many lines of source a diagnostic quotes.
const maxSnippet = 6

// A snippet is the source around a diagnostic: whole lines, and the part of
// them that the diagnostic is about, as byte offsets into the joined lines.
type snippet struct {
	lines                          []string
	firstLine                      int // number of the first line
	markedTextStart, markedTextEnd int // marked bytes within text()
	hidesText                      bool
}

const hiddenTextNote = "What is shown as * here is hidden, since it may be secret."

// A textHider is the body of a file whose text, as messages quote it, has stars in place of secrets.
type textHider interface {
	HidesText(quotable []byte, from, to int) bool
}

func (s *snippet) text() string { return strings.Join(s.lines, "\n") }

// newSnippet cuts the lines of d's subject out of src; nil where the range does not
// fit the source, or the source is no text.
func newSnippet(d *hcl.Diagnostic, file *hcl.File) *snippet {
	src := file.Bytes
	from, to := d.Subject.Start.Byte, d.Subject.End.Byte
	if from < 0 || from > len(src) || to < from || !words.IsText(src) {
		return nil
	}
	to = min(to, len(src))
	begin := bytes.LastIndexByte(src[:from], '\n') + 1
	end := len(src)
	if i := bytes.IndexByte(src[max(from, to-1):], '\n'); i >= 0 {
		end = max(from, to-1) + i
	}
	quoted := string(src[begin:end])
	shownEnd := end
	// Of a call that failed, the name with the parenthesis is marked, and an object may follow.
	if opening, isHeader := restOfHeader(src[min(to, end):end]); isHeader && !bytes.HasSuffix(src[from:to], []byte("(")) {
		shownEnd = min(to, end)
		quoted = string(src[begin:shownEnd]) + opening + " …"
	}
	s := &snippet{
		lines:           strings.Split(visible.ReplaceInvisibleKeepingOffsets(strings.ReplaceAll(quoted, "\r", " ")), "\n"),
		firstLine:       d.Subject.Start.Line,
		markedTextStart: from - begin,
		markedTextEnd:   min(to, end) - begin,
	}
	if len(s.lines) > maxSnippet {
		s.lines = s.lines[:maxSnippet]
		s.markedTextEnd = min(s.markedTextEnd, len(s.text()))
		shownEnd = min(shownEnd, begin+len(s.text()))
	}
	hider, ok := file.Body.(textHider)
	s.hidesText = ok && hider.HidesText(src, begin, shownEnd)
	return s
}

// restOfHeader is what follows the subject of a diagnostic up to the brace, where the subject is the header of a block that is
// written on one line: what stands in the braces may be long, or secret, and the diagnostic is not about it.
func restOfHeader(afterSubject []byte) (opening string, ok bool) {
	spaces, body, found := strings.Cut(string(afterSubject), "{")
	return spaces + "{", found && strings.TrimSpace(spaces) == "" && strings.TrimSpace(body) != ""
}

// splitMarked splits line i into what stands before, inside and after the marked part.
func (s *snippet) splitMarked(i int) (before, marked, after string) {
	offset := 0
	for _, l := range s.lines[:i] {
		offset += len(l) + 1
	}
	text := s.lines[i]
	from := clamp(s.markedTextStart-offset, len(text))
	to := clamp(s.markedTextEnd-offset, len(text))
	if s.markedTextStart-offset < 0 { // marked since an earlier line: leave the indentation alone
		from = len(text) - len(strings.TrimLeft(text, " \t"))
		from = min(from, to)
	}
	return text[:from], text[from:to], text[to:]
}

func clamp(n, top int) int { return max(0, min(n, top)) }
