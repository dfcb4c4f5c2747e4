package state_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2form/internal/state"
	"b2form/internal/testrun/engines"
	"b2form/internal/tfserver"
	"b2form/schema/addr"
)

// An answering service gives what a function says, whatever is asked.
type answering func(r *http.Request) *http.Response

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) { return a(r), nil }

func reply(status int, body string, header ...string) *http.Response {
	w := httptest.NewRecorder()
	for i := 0; i+1 < len(header); i += 2 {
		w.Header().Set(header[i], header[i+1])
	}
	w.WriteHeader(status)
	_, _ = w.WriteString(body)
	return w.Result()
}

// unending is a body that never ends, at so many bytes a second.
type unending struct {
	ctx   context.Context
	pause time.Duration
}

func (e unending) Read(p []byte) (int, error) {
	if e.pause > 0 {
		select {
		case <-time.After(e.pause): // fake
		case <-e.ctx.Done():
			return 0, e.ctx.Err()
		}
		p = p[:1]
	}
	for i := range p {
		p[i] = '['
	}
	return len(p), nil
}

// Whatever a server answers, it is told in words, within bounds, and without the password.
func TestHostileServer(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte("tester:" + engines.HTTPPassword))
	for name, test := range map[string]struct {
		answer  answering
		summary string
		detail  string
	}{
		"nonsense": {func(*http.Request) *http.Response { return reply(200, "<html>") }, "The server has no state of b2form",
			"left as it is"},
		"an array": {func(*http.Request) *http.Response { return reply(200, "[1]") }, "The server has no state of b2form", ""},
		"two": {func(*http.Request) *http.Response { return reply(200, `{"version":4,"serial":1,"run":"x"}{}`) }, "The server has no",
			""},
		"no serial": {func(*http.Request) *http.Response { return reply(200, `{"version":4,"run":"x"}`) }, "The server has no", ""},
		"a plain state": {func(*http.Request) *http.Response { return reply(200, `{"version":4,"entries":[]}`) },
			"The server has no state of b2form", ""},
		"huge serial": {func(*http.Request) *http.Response { return reply(200, `{"version":4,"serial":1e400,"run":"x"}`) },
			"The server has no", ""},
		"newer": {func(*http.Request) *http.Response { return reply(200, `{"version":99,"new":1}`) }, "State was written by a newer b2form",
			""},
		"a damaged state": {func(*http.Request) *http.Response {
			return reply(200, `{"version":4,"serial":1,"run":"x","state":{"version":4,"x":1}}`)
		}, "State file is damaged", "state.test"},
		"a damaged journal": {func(*http.Request) *http.Response {
			return reply(200, `{"version":4,"serial":1,"run":"x","journal":"a\nb\n"}`)
		}, "", ""}, // as after a torn write
		"deep": {func(*http.Request) *http.Response {
			return reply(200, `{"version":4,"serial":1,"run":"x","state":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}`)
		}, "State file is damaged", ""},
		"elsewhere": {func(r *http.Request) *http.Response {
			if r.URL.Host != "state.test" {
				t.Error("a redirect was followed")
			}
			return reply(307, "", "Location", "https://evil.test/")
		}, "The server of the state refuses", "does not follow"},
		"the password": {func(*http.Request) *http.Response { return reply(403, engines.HTTPPassword+" "+basic) },
			"The server of the state refuses", "(sensitive value)"},
		"an escape": {func(*http.Request) *http.Response { return reply(400, "\x1b]0;x\x07\n##[error]") },
			"The server of the state refuses",
			`\u001b]0;x\u0007`},
		"a torn answer": {func(*http.Request) *http.Response { return reply(200, "{}", "Content-MD5", "AAAA") },
			"The server of the state cannot be reached", "Content-MD5"},
		"an endless refusal": {func(r *http.Request) *http.Response {
			response := reply(403, "")
			response.Body = io.NopCloser(unending{r.Context(), time.Second})
			return response
		}, "The server of the state cannot be reached", "no answer came in time"},
		"an endless state": {func(r *http.Request) *http.Response {
			response := reply(200, "")
			response.Body = io.NopCloser(unending{r.Context(), 0})
			return response
		}, "The reply is too large", "65536 KiB"},
		"trouble": {func(*http.Request) *http.Response { return reply(503, "", "Retry-After", "3000") }, "The server of the state refuses",
			"503 Service Unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := engines.NewHTTPBackend("https://state.test/web?key="+engines.HTTPPassword, false, test.answer).Read(t.Context())
				text := fmt.Sprint(err)
				if test.summary == "" && err != nil ||
					test.summary != "" && (!strings.HasPrefix(text, test.summary) || !strings.Contains(text, test.detail)) {
					t.Errorf("Read = %v", err)
				}
				if strings.Contains(text, engines.HTTPPassword) || strings.Contains(text, basic) || strings.Contains(text, "\x1b") {
					t.Errorf("Read = %q", text)
				}
				if took := time.Since(began); took > 10*time.Minute {
					t.Errorf("it took %s", took)
				}
				b := engines.NewHTTPBackend("https://state.test", false, nil)
				if strings.Contains(fmt.Sprintf("%v %+v %#v", b, b, b), engines.HTTPPassword) {
					t.Error("printing the backend shows the password")
				}
			})
		})
	}
}

// A document is read as strictly as a state.
func TestServerDocument(t *testing.T) {
	for _, body := range []string{
		`{"version":4,"serial":1,"run":"x"}}}}garbage`, `{"version":4,"serial":1,"serial":5,"run":"x"}`,
		`{"version":4,"SERIAL":1,"run":"x"}`, `{"version":4,"serial":1,"Serial":2,"run":"x"}`,
	} {
		_, err := engines.NewHTTPBackend("https://state.test", false,
			answering(func(*http.Request) *http.Response { return reply(200, body) })).
			Read(t.Context())
		if summaryOf(err) != "The server has no state of b2form" {
			t.Errorf("Read = %v of %s", err, body)
		}
	}
}

// A server that repeats the header with the password shows no part of it.
func TestServerRepeatsHeader(t *testing.T) {
	for name, write := range map[string]func(string) string{
		"as it is": func(header string) string { return header },
		"escaped":  url.QueryEscape,
		"of a URL": func(header string) string { return strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(header) },
	} {
		_, err := engines.NewHTTPBackend("https://state.test", false, answering(func(r *http.Request) *http.Response {
			return reply(403, "who is "+write(r.Header.Get("Authorization"))+"?")
		})).Read(t.Context())
		if words := regexp.MustCompile(`"who is (Basic )?\(sensitive value\)\?"`); !words.MatchString(fmt.Sprint(err)) {
			t.Errorf("%s: Read = %v", name, err)
		}
	}
}

// A serial that no further change can count up is refused, before anything is stored.
func TestServerLargestSerial(t *testing.T) {
	b := engines.NewHTTPBackend("https://state.test", false, answering(func(r *http.Request) *http.Response {
		if r.Method == http.MethodPost {
			t.Error("a state was stored")
		}
		return reply(200, `{"version":4,"serial":9223372036854775807,"run":"x"}`)
	}))
	_, readErr := b.Read(t.Context())
	_, openErr := b.Open(t.Context(), state.Options{Now: time.Now})
	for _, err := range []error{readErr, openErr} {
		if summaryOf(err) != "The serial of the state cannot grow" || !strings.Contains(err.Error(), "9223372036854775807") {
			t.Errorf("the error is %v", err)
		}
	}
}

// What a run was told of a lock by a server is shown as it is, and nothing of it is obeyed.
func TestHostileLockHolder(t *testing.T) {
	for body, want := range map[string]string{
		`{"ID":"1","Who":"ann\u001b[31m","Operation":"apply","Created":"2026-10-02T12:00:00Z"}`:        `Who:       ann\u001b[31m`,
		`{"Who":"` + strings.Repeat("w", 60_000) + `","Operation":"` + strings.Repeat("o", 300) + `"}`: "www…\n  Created:   unknown",
		"<html>":                      "Who:       unknown",
		`{"ID":7,"Created":"never"}`:  "Created:   unknown",
		strings.Repeat("a", 64<<10+1): "The reply is too large",
	} {
		b := engines.NewHTTPBackend("https://state.test", false, answering(func(*http.Request) *http.Response { return reply(423, body) }))
		_, err := b.Open(t.Context(), state.Options{Now: time.Now})
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("Open = %v, want %s", err, want)
		}
		if text := fmt.Sprint(err); len(text) > 2000 {
			t.Errorf("Open says %d bytes: %.300s", len(text), text)
		}
	}
}

// A server that goes on calling the state locked has not given the lock up.
func TestServerKeepsLock(t *testing.T) {
	for _, body := range []string{`{"ID":"1","Who":"ann\u001b[31m","Operation":"apply"}`, "[[["} {
		b := engines.NewHTTPBackend("https://state.test/web", false, answering(func(r *http.Request) *http.Response {
			if r.Method == "LOCK" {
				return reply(http.StatusLocked, body)
			}
			return reply(http.StatusOK, "")
		}))
		held, err := b.BreakLock(t.Context())
		if summaryOf(err) != "The lock is still held" || held != nil || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("BreakLock = %v, %v", held, err)
		}
	}
}

// A server on which no run can rely is found out, and what it has is left as it was.
func TestServerTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, test := range map[string]struct {
			spoil func(r *http.Request) *http.Response // nil: as the server answers
			want  string
		}{
			"good": {func(*http.Request) *http.Response { return nil }, summaryOf(nil)},
			"no lock": {func(r *http.Request) *http.Response {
				if r.Method == "LOCK" {
					return reply(http.StatusOK, "<html>")
				}
				return nil
			}, "The server does not keep runs apart"},
			"keeps nothing": {func(r *http.Request) *http.Response {
				if r.Method == http.MethodPost {
					return reply(http.StatusOK, "")
				}
				return nil
			}, "The server does not have the state that it took"},
		} {
			for _, filled := range []bool{false, true} {
				w := &wire{service: engines.NewHTTPServer(false)}
				good := engines.NewHTTPBackend("https://state.test/web", false, w)
				if filled {
					run := opened(t, good, state.Options{})
					must(t, run.PutEntriesCloseIntents(entryNumber("app", 1)))
					must(t, run.Close())
				}
				err := engines.NewHTTPBackend("https://state.test/web", false, answering(func(r *http.Request) *http.Response {
					if response := test.spoil(r); response != nil {
						return response
					}
					response, _ := w.RoundTrip(r)
					return response
				})).CheckServerByTrial(t.Context(), state.Options{Now: time.Now})
				if summaryOf(err) != test.want {
					t.Errorf("%s, %v: Try = %v", name, filled, err)
				}
				if got := readShared(t, good); len(got.Entries) != map[bool]int{true: 1}[filled] {
					t.Errorf("%s: there is %+v", name, got)
				}
			}
		}
	})
}

// A server that takes a state and then has none is not another run.
func TestServerWithoutMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forgetful := answering(func(r *http.Request) *http.Response {
			if r.Method == http.MethodGet {
				return reply(http.StatusNotFound, "")
			}
			return reply(http.StatusOK, "")
		})
		_, err := engines.NewHTTPBackend("https://state.test/web", false, forgetful).Open(t.Context(), state.Options{Now: time.Now})
		if summaryOf(err) != "The server does not have the state that it took" || !strings.Contains(err.Error(), "https://state.test/web") {
			t.Errorf("Open = %v", err)
		}
	})
}

// A disk that is full at the server leaves what was stored before, and the run may go on.
func TestServerWithoutRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := engines.NewHTTPServer(false)
		full := false
		transport := answering(func(r *http.Request) *http.Response {
			if r.Method == http.MethodPost && full {
				return reply(http.StatusInsufficientStorage, "no room")
			}
			response, _ := (&wire{service: s}).RoundTrip(r)
			return response
		})
		b := engines.NewHTTPBackend("https://state.test/web", false, transport)
		run := opened(t, b, state.Options{})
		must(t, run.PutEntriesCloseIntents(entryNumber("app", 1)))
		full = true
		err := run.PutEntriesCloseIntents(entryNumber("app", 2))
		if summaryOf(err) != "The server of the state refuses" || !strings.Contains(err.Error(), "Make room") {
			t.Errorf("PutEntries = %v", err)
		}
		if err := run.AnnounceCreates(state.CreateIntent{Addr: address(t, "key.none"), Identity: "none"}); err == nil {
			t.Error("an announcement found room")
		}
		full = false
		must(t, run.CheckLocked())
		must(t, run.Close())
		if got := readShared(t, b); len(got.Entries) != 2 || len(got.OpenIntents) != 0 {
			t.Errorf("in the end there is %+v", got)
		}
	})
}

// A request that is delivered late, after the run went on, is noticed.
func TestServerLateRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := engines.NewHTTPServer(false)
		var late *http.Request
		w := &wire{service: s}
		transport := answering(func(r *http.Request) *http.Response {
			if body := new(bytes.Buffer); r.Method == http.MethodPost && late == nil {
				_, _ = body.ReadFrom(r.Body)
				late = r.Clone(context.Background())
				late.Body = io.NopCloser(bytes.NewReader(body.Bytes()))
				return reply(502, "")
			}
			response, _ := w.RoundTrip(r)
			return response
		})
		run := opened(t, engines.NewHTTPBackend("https://state.test/web", false, w), state.Options{})
		must(t, run.Close())
		run = opened(t, engines.NewHTTPBackend("https://state.test/web", false, transport), state.Options{})
		must(t, run.PutEntriesCloseIntents(entryNumber("app", 1)))
		_, _ = w.RoundTrip(late)
		time.Sleep(3 * time.Second) // fake
		if err := run.CheckLocked(); summaryOf(err) != "Another run has the state" {
			t.Errorf("CheckLocked = %v after an older version came back", err)
		}
		if err := run.Close(); err == nil {
			t.Error("Close said nothing of it")
		}
	})
}

// A check asks the server once in two seconds, however often it is called.
func TestServerChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		w := &wire{service: engines.NewHTTPServer(false),
			NetworkLine: engines.NetworkLine{BeforeRequest: func(string) error { requests++; return nil }}}
		run := opened(t, engines.NewHTTPBackend("https://state.test/web", false, w), state.Options{})
		synctest.Wait()
		requests = 0
		for range 100 {
			must(t, run.CheckLocked())
			time.Sleep(100 * time.Millisecond) // fake
		}
		if requests > 5 {
			t.Errorf("%d requests in ten seconds", requests)
		}
		w.BeforeRequest = func(string) error { return errors.New("no route") }
		time.Sleep(3 * time.Second) // fake
		if err := run.CheckLocked(); summaryOf(err) != "The server of the state cannot be reached" {
			t.Errorf("CheckLocked = %v", err)
		}
		w.BeforeRequest = nil
		must(t, run.CheckLocked())
		must(t, run.Close())
	})
}

// A state that is too large to be read again is not stored.
func TestServerKeepsSoMuch(t *testing.T) {
	t.Parallel()
	h := engines.NewHTTPBackend("https://state.test/web", false, &wire{service: &tfserver.Server{}})
	h.MaxBytes = 1 << 20
	run := opened(t, h, state.Options{})
	err := run.AnnounceCreates(state.CreateIntent{Addr: address(t, "key.a"), Identity: strings.Repeat("a", 1<<20)})
	if summaryOf(err) != "The state is too large for its server" {
		t.Errorf("AnnounceCreates = %v", err)
	}
	must(t, run.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.b"), Identity: "b", ID: "k1"}))
	must(t, run.Close())
	if st := readShared(t, h); len(st.Entries) != 1 {
		t.Errorf("there is %+v", st)
	}
}

// The document is what servers of the protocol demand, and nothing that Terraform takes for its own.
func TestDocument(t *testing.T) {
	s := &tfserver.Server{}
	h := engines.NewHTTPBackend("https://state.test/web", false, &wire{service: s})
	run := opened(t, h, state.Options{})
	must(t, run.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.a"), Identity: "a", ID: "k1"}))
	must(t, run.Close())
	text := string(s.Content("/web"))
	if !strings.HasPrefix(text, `{"version":5,"terraform_version":"b2form","serial":3,"run":"`) ||
		!strings.HasSuffix(text, `","state":{"version":5,"entries":[{"address":"key.a","identity":"a","id":"k1"}]}}`) {
		t.Errorf("the document is %s", text)
	}
}
