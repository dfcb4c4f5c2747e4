package emulator

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// Limits of a file's info; see "Files" and b2_upload_file.
const (
	maxFileInfo         = 10
	maxNameAndInfoBytes = 7000 // bytes: of the name, and of keys and values
	// maxProtectedInfoBytes is the limit, in bytes, for keys and values alone where
	// encryption is asked for or the bucket has Object Lock. The encryption that
	// every upload gets since September 2026 is not asked for.
	maxProtectedInfoBytes = 2048
)

// overrides are the response headers a download may ask for, by the parameter
// that asks, with the file info that says the same and the grammar that values
// must have: that of RFC 2616 and, for dispositions, RFC 6266.
var overrides = []struct {
	parameter, header, info string
	valid                   func(string) bool
}{
	{"b2CacheControl", "Cache-Control", "b2-cache-control", commaListMatcher(httpToken + `(=(` + httpToken + `|` + httpQuoted + `))?`)},
	{"b2ContentDisposition", "Content-Disposition", "b2-content-disposition", wholeTextRegexpMatcher(disposition)},
	{"b2ContentEncoding", "Content-Encoding", "b2-content-encoding", commaListMatcher(httpToken)},
	{"b2ContentLanguage", "Content-Language", "b2-content-language", commaListMatcher(`[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*`)},
	{"b2ContentType", "Content-Type", "", wholeTextRegexpMatcher(`[^\x00-\x1f\x7f]*`)},
	{"b2Expires", "Expires", "b2-expires", isHTTPDate},
}

const (
	httpToken  = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
	httpQuoted = `"([^"\\\x00-\x1f\x7f]|\\[ -~])*"`
	// A parameter of a disposition may have an extended value, in UTF-8 and
	// without a language, but is in one piece.
	disposition = httpToken + `([ \t]*;[ \t]*` + dispositionName + `(=(` + httpToken + `|` + httpQuoted + `)|\*=` + dispositionUTF8 +
		`))*`
	dispositionName = "[!#$%&'+.^_`|~0-9A-Za-z-]+"
	dispositionUTF8 = `[Uu][Tt][Ff]-8''(%[0-9A-Fa-f]{2}|` + "[!#$&+.^_`|~0-9A-Za-z-])*"
)

// wholeTextRegexpMatcher compiles a grammar when it is first needed: most programs send none of these.
func wholeTextRegexpMatcher(grammar string) func(string) bool {
	form := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(` + grammar + `)$`) })
	return func(text string) bool { return form().MatchString(text) }
}

func commaListMatcher(itemRegexp string) func(string) bool {
	return wholeTextRegexpMatcher(itemRegexp + `([ \t]*,[ \t]*` + itemRegexp + `)*`)
}

func isHTTPDate(text string) bool {
	_, err := http.ParseTime(text)
	return err == nil
}

const reservedInfo = "b2-"

func checkFileInfo(info map[string]string) error {
	for _, k := range sortedKeys(info) {
		if !isName(k, 1, maxInfoKey, infoKeyOthers) {
			return badRequest("Bad file info name: %s", k)
		}
		if strings.HasPrefix(strings.ToLower(k), reservedInfo) {
			if err := checkReservedInfo(strings.ToLower(k), info[k]); err != nil {
				return err
			}
		}
	}
	if len(info) > maxFileInfo {
		return badRequest("A file may have no more than %d file info entries", maxFileInfo)
	}
	if infoSize(info) > maxNameAndInfoBytes {
		return badRequest("File info must be no longer than %d bytes", maxNameAndInfoBytes)
	}
	return nil
}

func checkReservedInfo(name, value string) error {
	for _, o := range overrides {
		switch {
		case o.info != name:
		case !o.valid(value):
			return badRequest("Bad value of file info %s: '%s'", name, value)
		default:
			return nil
		}
	}
	return badRequest("Bad file info name: %s", name)
}

// checkInfoSize refuses info for which this file has no room. guarded says
// that encryption was asked for or the bucket has Object Lock.
func (f file) checkInfoSize(encryptedOrLocked bool) error {
	size := infoSize(f.Info)
	switch {
	case encryptedOrLocked && size > maxProtectedInfoBytes:
		return badRequest("File info must be no longer than %d bytes with encryption or Object Lock", maxProtectedInfoBytes)
	case len(f.Name)+size > maxNameAndInfoBytes:
		return badRequest("File name and file info must be no longer than %d bytes", maxNameAndInfoBytes)
	}
	return nil
}

// readOverrides gives the response headers that a call asks for, by parameter.
func (c *call) readOverrides() (url.Values, error) {
	asked := url.Values{}
	for _, o := range overrides {
		value := c.in.text(o.parameter)
		if value == "" {
			continue
		}
		if !o.valid(value) {
			return nil, badRequest("Bad value of %s: '%s'", o.parameter, value)
		}
		asked.Set(o.parameter, value)
	}
	return asked, nil
}
