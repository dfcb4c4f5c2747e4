// Package words helps to put messages together.
package words

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/agext/levenshtein"
)

// CapitalizeUnlessName begins a sentence with a capital letter, except where it begins with a
// name that is written small: "b2form", "b2_create_key", "photos.plan", "key.app: ".
func CapitalizeUnlessName(s string) string {
	word, _, _ := strings.Cut(s, " ")
	if strings.HasPrefix(s, "b2") || strings.HasSuffix(word, ":") || strings.ContainsAny(strings.TrimSuffix(word, "."), `./\\_=[`) {
		return s
	}
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

// Sentence makes a sentence of words without a period.
func Sentence(s string) string { return CapitalizeUnlessName(s) + "." }

// WithArticle is a noun with its article: "a bucket", "an object".
func WithArticle(noun string) string {
	if noun != "" && strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// DidYouMean is ` Did you mean "name"?` for the name that is most like what was
// written, or for the few that begin with it where none is but for one letter, or that share most words with it;
// "" where none is like it. prefix stands before the name: "-". A name with quotation
// marks, as an address with a key, is quoted as for a shell.
func DidYouMean(written, prefix string, names []string) string {
	const least, most = 3, 5
	best := FindSimilar(written, names)
	meant := []string{best}
	if len(written) >= least && levenshtein.Distance(strings.ToLower(written), strings.ToLower(best), nil) > 1 {
		longer := slices.DeleteFunc(slices.Sorted(slices.Values(names)), func(name string) bool {
			return !strings.HasPrefix(strings.ToLower(name), strings.ToLower(written))
		})
		if longer = slices.Compact(longer); len(longer) > 0 && len(longer) <= most {
			meant = longer
		}
	}
	if meant[0] == "" {
		if meant = namesWithMostWordsOf(written, names); len(meant) == 0 || len(meant) > most {
			return ""
		}
	}
	for i, name := range meant {
		meant[i] = quoteName(prefix + name)
	}
	last := len(meant) - 1
	if last == 0 {
		return " Did you mean " + meant[0] + "?"
	}
	return " Did you mean " + strings.Join(meant[:last], ", ") + " or " + meant[last] + "?"
}

// namesWithMostWordsOf are the names that share the most words with what was written, in alphabetical order. Words of
// fewer than four letters say too little.
func namesWithMostWordsOf(written string, names []string) (best []string) {
	split := func(name string) []string {
		return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '_' || r == '-' })
	}
	wanted, most := split(written), 0
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		shared := 0
		for _, word := range split(name) {
			if len(word) >= 4 && slices.Contains(wanted, word) {
				shared++
			}
		}
		if shared > most {
			best, most = nil, shared
		}
		if shared == most && most > 0 {
			best = append(best, name)
		}
	}
	return best
}

func quoteName(name string) string {
	quoted := strconv.Quote(name)
	if strings.Contains(name, `"`) && !strings.Contains(name, "'") && quoted == `"`+strings.ReplaceAll(name, `"`, `\"`)+`"` {
		return "'" + name + "'"
	}
	return quoted
}

// FindSimilar is the name most like what was written, whatever the case, with fewer than
// four letters to change, or half of it and two where that is less; with more than half of
// it to change the first letter must be the same. The first in alphabetical order of several,
// "" where there is none.
func FindSimilar(written string, names []string) string {
	written = strings.ToLower(written)
	best, least := "", min(4, len(written)/2+2)
	for _, name := range slices.Sorted(slices.Values(names)) {
		d := levenshtein.Distance(written, strings.ToLower(name), nil)
		if d < least && (d <= len(written)/2 || strings.HasPrefix(strings.ToLower(name), written[:min(1, len(written))])) {
			best, least = name, d
		}
	}
	return best
}

// JoinAnd joins names for a sentence: "a, b and c".
func JoinAnd(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// JoinAtMost joins so many names as JoinAnd does, and says how many more there are.
func JoinAtMost(names []string, limit int) string {
	if more := len(names) - limit; more > 0 {
		names = append(slices.Clone(names[:limit]), fmt.Sprintf("%d more", more))
	}
	return JoinAnd(names)
}

// Count writes "1 file" and "2 files".
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// ReadableTime is a moment for people, to the minute.
func ReadableTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// ApproximateDuration is a time in the one unit that matters: "3 days", "90 minutes".
func ApproximateDuration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return "less than 2 minutes"
}

// ExactDuration is a duration in the largest unit that needs no fraction: "90 days", "36 hours", else as "1m30s"; below a
// second nothing is told.
func ExactDuration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day && d%day == 0:
		return Count(int(d/day), "day", "days")
	case d >= time.Hour && d%time.Hour == 0:
		return Count(int(d/time.Hour), "hour", "hours")
	case d >= time.Minute && d%time.Minute == 0:
		return Count(int(d/time.Minute), "minute", "minutes")
	}
	return d.Truncate(time.Second).String()
}

// IsText reports whether a file's content is text in UTF-8. What is none is never
// quoted: it is not a configuration, and may be anything.
func IsText(content []byte) bool { return utf8.Valid(content) && !slices.Contains(content, 0) }

// rootEscape is what os.Root says of a path that leaves its folder; no exported error stands for it.
const rootEscape = "path escapes from parent"

// ErrorWithoutPath is what an error says without the operation, path and address that an operating
// system repeats, for messages that name them themselves.
func ErrorWithoutPath(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		if why := p.Err.Error(); why != rootEscape {
			return why
		}
		return "a symbolic link leads out of the folder"
	}
	return err.Error()
}
