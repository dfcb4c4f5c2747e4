package emulator

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// A LoggedCall is one request as Calls reports it.
type LoggedCall struct {
	Method  string // "b2_create_key"; the path if it names no call; "PutObject" on the S3 face
	Version int    // 1 to 4; 0 on the S3 face
	Status  int    // of the reply; 0 while there is none or if there never was
	// Body is the request's JSON, from the query for a GET. Members that are
	// secret are replaced. It is nil for uploads and for what is not JSON.
	Body []byte
	At   time.Time
}

// maxCalls is how many requests are remembered; older ones are forgotten.
const maxCalls = 1 << 18

// maxLoggedBodyBytes is how many bytes the bodies of remembered calls have together: few have more than a hundred.
const maxLoggedBodyBytes = 32 << 20

type callLog struct {
	mu              sync.Mutex
	firstCallNumber int // number of the first call remembered
	calls           []LoggedCall
	bodyBytes       int // of the calls remembered
}

// Calls gives the requests since the start or ResetCalls in the order of their
// arrival, the last if there were more than 262144, or more than 32 MiB of bodies.
func (s *Server) Calls() []LoggedCall {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.calls)
}

// ResetCalls forgets the requests so far.
func (s *Server) ResetCalls() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.firstCallNumber += len(s.log.calls)
	s.log.calls, s.log.bodyBytes = nil, 0
}

// loggedCall is what is remembered of a native call.
func (c *call) loggedCall(body []byte) LoggedCall {
	return LoggedCall{Method: cmp.Or(c.method, c.http.URL.Path), Version: c.version, At: c.now, Body: loggableBody(c, body)}
}

func (l *callLog) addCall(entry LoggedCall) (number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.bodyBytes += len(entry.Body); len(l.calls) == maxCalls || len(l.calls) > 0 && l.bodyBytes > maxLoggedBodyBytes; {
		l.dropOldestHalf()
	}
	l.calls = append(l.calls, entry)
	return l.firstCallNumber + len(l.calls) - 1
}

func (l *callLog) dropOldestHalf() {
	dropped := l.calls[:(len(l.calls)+1)/2]
	for i := range dropped {
		l.bodyBytes -= len(dropped[i].Body)
	}
	l.calls = slices.Clone(l.calls[len(dropped):])
	l.firstCallNumber += len(dropped)
}

func (l *callLog) setStatus(number, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := number - l.firstCallNumber; i >= 0 {
		l.calls[i].Status = status
	}
}

// secretMembers are the request members whose values must not be remembered.
var secretMembers = []string{"customerKey", "customHeaders", "hmacSha256SigningSecret"}

func loggableBody(c *call, body []byte) []byte {
	if c.http.Method == "GET" && len(c.http.URL.RawQuery) > 0 {
		values := map[string]any{}
		for name, all := range c.http.URL.Query() {
			if name != "Authorization" {
				values[name] = all[len(all)-1]
			}
		}
		body, _ = json.Marshal(values)
	}
	if !json.Valid(body) {
		return nil
	}
	if !hasNoSecretMember(string(body)) {
		return redacted(body)
	}
	return body
}

// hasNoSecretMember reports whether a text surely has no secret member, however it is
// spelled.
func hasNoSecretMember(text string) bool {
	text = strings.ToLower(text)
	names := func(member string) bool { return strings.Contains(text, strings.ToLower(member)) }
	return !strings.Contains(text, `\u`) && !slices.ContainsFunc(secretMembers, names)
}

func redacted(body []byte) []byte {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return nil
	}
	redact(v)
	body, _ = json.Marshal(v)
	return body
}

func redact(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			redact(item)
		}
	case map[string]any:
		for name, item := range v {
			text, isText := item.(string)
			secret := func(member string) bool { return strings.EqualFold(member, name) }
			// In a query, objects are texts of JSON.
			if item != nil && slices.ContainsFunc(secretMembers, secret) || isText && !hasNoSecretMember(text) {
				v[name] = "(secret)"
				continue
			}
			redact(item)
		}
	}
}
