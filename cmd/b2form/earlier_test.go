package main

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// earlierReplies has an account show what it showed before its last change, as a B2 whose listings lag behind.
type earlierReplies struct {
	mu        sync.Mutex
	last      map[string]*httptest.ResponseRecorder // what each reading came to
	different map[string]*httptest.ResponseRecorder // what it came to before the last change
	skip      map[string]int                        // by method: how many of the next readings show what is there
	outdated  map[string]int                        // how many of those after them do not
}

func newEarlierReplies() *earlierReplies {
	replies := func() map[string]*httptest.ResponseRecorder { return map[string]*httptest.ResponseRecorder{} }
	return &earlierReplies{last: replies(), different: replies(), skip: map[string]int{}, outdated: map[string]int{}}
}

// outdate has readings by a method show what the same reading showed before the last change: of all that follow, N, but
// for the first ones that are to be skipped: "b2 outdate b2_list_buckets N [SKIP]".
func (e *earlierReplies) outdate(_ *testscript.TestScript, args []string) error {
	n, err := strconv.Atoi(args[1])
	skip, err2 := 0, error(nil)
	if len(args) > 2 {
		skip, err2 = strconv.Atoi(args[2])
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.outdated[args[0]], e.skip[args[0]] = n, skip
	return errors.Join(err, err2)
}

// serve answers a request as server does, which sees it in any case, or a reading as it was answered before.
func (e *earlierReplies) serve(w http.ResponseWriter, r *http.Request, server http.Handler) {
	method := path.Base(r.URL.Path)
	if !strings.HasPrefix(method, "b2_list_") && method != "b2_get_bucket_notification_rules" {
		server.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body) // what cannot be read is answered by the server
	r.Body = io.NopCloser(bytes.NewReader(body))
	reply := httptest.NewRecorder()
	server.ServeHTTP(reply, r)
	reading := r.URL.String() + string(body)
	if method == "b2_list_keys" { // where the account has one key, all its pages are alike
		reading = r.URL.String()
	}
	reply = e.remember(method, reading, reply)
	maps.Copy(w.Header(), reply.Header())
	w.WriteHeader(reply.Code)
	_, _ = w.Write(reply.Body.Bytes()) // a client that is gone needs none
}

// remember takes note of a reply, and gives the one that the reading is to get.
func (e *earlierReplies) remember(method, reading string, reply *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	e.mu.Lock()
	defer e.mu.Unlock()
	if last := e.last[reading]; last == nil || !bytes.Equal(last.Body.Bytes(), reply.Body.Bytes()) {
		e.last[reading], e.different[reading] = reply, last
	}
	before := e.different[reading]
	switch {
	case e.skip[method] > 0:
		e.skip[method]--
	case e.outdated[method] > 0 && before != nil:
		e.outdated[method]--
		return before
	}
	return reply
}
