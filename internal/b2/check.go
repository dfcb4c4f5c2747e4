package b2

import (
	"net"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// An InvalidOptionsError is a mistake in the credentials or the endpoint that shows
// without asking B2. It never quotes a credential.
type InvalidOptionsError struct {
	Summary string // what is wrong; a clause for a person
	Detail  string // what to do; whole sentences
}

func (e *InvalidOptionsError) Error() string { return e.Summary + ": " + e.Detail }

const (
	idVariable  = "B2_APPLICATION_KEY_ID"
	keyVariable = "B2_APPLICATION_KEY"
	variables   = "the environment variables " + idVariable + " and " + keyVariable
	whereKeys   = `The web console shows key IDs, and makes keys, under "Application Keys".`
)

// The shapes of a key ID (the master key's is the 12-digit account ID) and of a
// key, as the web console and b2_create_key give them out. Keys from B2's early
// days look different, so a shape is used to recognise, never to refuse.
var (
	hexDigits = regexp.MustCompile(`^[0-9a-f]+$`)
	keyShape  = regexp.MustCompile(`^K[0-9][0-9][0-9][0-9A-Za-z+/]+$`)
)

func looksLikeKeyID(s string) bool { return (len(s) == 12 || len(s) == 25) && hexDigits.MatchString(s) }
func looksLikeKey(s string) bool   { return len(s) == 31 && keyShape.MatchString(s) }

// looksLikeVariable is about what stands where a shell, or a pipeline, put no value in: $X, ${X}, $(X), ${{ secrets.X }}, %X%.
func looksLikeVariable(s string) bool {
	shape := regexp.MustCompile(`^(\$[A-Za-z_][A-Za-z0-9_:]*|\$\{.*\}|\$\(.*\)|%[A-Za-z_][A-Za-z0-9_]*%)$`) // costs a start nothing
	return shape.MatchString(s)
}

// checkCredentials judges the shape of both halves. source is [Options.KeySource].
func checkCredentials(id, key, source string) error {
	switch {
	case id == "" && key == "":
		return &InvalidOptionsError{"No B2 credentials", "Set " + idVariable + " and " + keyVariable + ". " + whereKeys +
			" A profile, a program of a secret store and the account file of the b2 command are looked at too: \"b2form help whoami\" " +
			"lists them. In a pipeline, a secret that a job may not have is empty. To try things out without an account, use -emulator."}
	case id == "":
		return &InvalidOptionsError{"The ID of the application key is missing",
			"Set " + idVariable + " beside " + keyVariable + ". In a pipeline, a secret that a job may not have is empty. " + whereKeys}
	case key == "":
		return &InvalidOptionsError{"The application key is missing", "Set " + keyVariable + " beside " + idVariable +
			". B2 shows a key only once, when it is made; if it is lost, make a new one."}
	}
	idName, keyName := idVariable, keyVariable
	if source == "" {
		source = variables
	}
	if source != variables {
		idName, keyName = "the key ID from "+source, "the application key from "+source
	}
	for _, half := range []struct{ name, value string }{{idName, id}, {keyName, key}} {
		if looksLikeVariable(half.value) {
			return &InvalidOptionsError{half.name + " holds the name of a variable instead of its value", "Set that variable where " +
				"b2form runs. In a pipeline, look at which jobs are given it: GitLab gives a protected variable to protected branches " +
				"and tags alone, not to merge requests of other branches."}
		}
	}
	if stray := findStrayCharacter(id); stray != "" {
		return &InvalidOptionsError{idName + " contains " + stray, "Remove it: an ID is 12 or 25 digits and letters, nothing else."}
	}
	if stray := findStrayCharacter(key); stray != "" {
		return &InvalidOptionsError{keyName + " contains " + stray, "Remove it; it often comes along when a key is copied or read from " +
			"a file."}
	}
	switch idIsKey, keyIsID := looksLikeKey(id), looksLikeKeyID(key); {
	case idIsKey && keyIsID:
		return &InvalidOptionsError{"The application key and its ID are swapped", "Exchange them in " + source + "."}
	case idIsKey:
		return &InvalidOptionsError{idName + " is an application key instead of its ID", "Put the ID there. " + whereKeys}
	case keyIsID:
		return &InvalidOptionsError{keyName + " is the ID of a key instead of the key",
			"Put the key there: it starts with K and B2 shows it only once, when it is made."}
	case strings.Contains(id, ":"):
		return &InvalidOptionsError{idName + " contains a colon", "Put the ID alone there, and the key where the key belongs."}
	}
	return nil
}

// findStrayCharacter names a character that no ID and no key contains.
func findStrayCharacter(s string) (description string) {
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r':
			return "a line break"
		case unicode.IsSpace(r):
			return "white space"
		case strings.ContainsRune("\"'`\u2018\u2019\u201c\u201d", r):
			return "a quotation mark"
		case r < ' ' || r > '~':
			return "an invisible or foreign character"
		}
	}
	return ""
}

const endpointHelp = `Give the name of a realm (production, staging) or the root URL of the native API, such as ` +
	`"https://api.backblazeb2.com"; leave it out for Backblaze B2 itself.`

// resolveEndpoint turns a realm's name or a URL into the root of the API,
// without a slash at its end. The realms are those of B2's command-line tool.
func resolveEndpoint(endpoint string) (rootURL string, _ error) {
	switch endpoint {
	case "", "production":
		return "https://api.backblazeb2.com", nil
	case "staging":
		return "https://api.backblaze.net", nil
	case "dev":
		return "", &InvalidOptionsError{"The realm dev is not encrypted",
			"It speaks http only, so that anybody on the way could read the " +
				"application key. " + endpointHelp}
	}
	matches := func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(endpoint) }
	switch {
	case matches(`(?i)^(https?://)?([^/]+\.)?s3\.[a-z0-9-]+\.backblazeb2\.com\b`):
		return "", &InvalidOptionsError{"The endpoint is that of the S3-compatible API", "b2form speaks the native API. " + endpointHelp}
	case matches(`(?i)^(https?://)?f[0-9]{3}\.backblazeb2\.com\b`):
		return "", &InvalidOptionsError{"The endpoint is that of downloads", "b2form needs the native API. " + endpointHelp}
	case matches(`^[A-Za-z-]{1,20}$`) && endpoint != "localhost":
		return "", &InvalidOptionsError{`There is no realm "` + endpoint + `"`, endpointHelp}
	}
	u, err := url.Parse(endpoint)
	if err == nil {
		err = checkEndpointURL(u)
	} else { // its text quotes what may be a credential
		err = &InvalidOptionsError{"The endpoint is not a URL", endpointHelp}
	}
	if err != nil {
		return "", err
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// checkEndpointURL refuses what is not the plain root URL of a service that may be sent
// credentials.
func checkEndpointURL(u *url.URL) error {
	switch {
	case u.Hostname() == "":
		return &InvalidOptionsError{"The endpoint is not a URL", endpointHelp}
	case u.Scheme != "https" && u.Scheme != "http":
		return &InvalidOptionsError{"The endpoint is not an https URL", endpointHelp}
	case u.User != nil:
		return &InvalidOptionsError{"The endpoint contains credentials",
			"Put them into " + idVariable + " and " + keyVariable + " instead."}
	case u.RawQuery != "" || u.Fragment != "":
		return &InvalidOptionsError{"The endpoint has something after the root URL", "Leave out what follows ? or #."}
	case strings.Contains(u.Path, "/b2api"):
		return &InvalidOptionsError{"The endpoint names a version of the API", `Leave out "/b2api" and what follows.`}
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return &InvalidOptionsError{"The endpoint is not encrypted", "Use https: over http anybody on the way could read the " +
			"application key. Only addresses of this machine, such as http://127.0.0.1:8080, may use http."}
	}
	return nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
