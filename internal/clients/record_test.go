package clients_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// A request is what the service can be asked: a call in a version. The version
// of a download by name, which is no call, is "".
type request struct{ call, version, verb string }

// requests has for each request what was sent with it at least once: members of
// the JSON or the query, and headers.
type requests map[request]sent

type sent struct{ members, headers map[string]bool }

// A recorder listens to the requests of an account.
type recorder struct {
	mu   sync.Mutex
	seen requests
	// denied has the tokens and Basic credentials that were answered with 401.
	denied []string
}

func (r *recorder) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = nil
}

func (r *recorder) requests() requests {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.seen)
}

func (r *recorder) record(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		members := map[string]bool{}
		if what := named(req); what.call != "b2_upload_file" && what.call != "b2_upload_part" {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			req.Body = io.NopCloser(bytes.NewReader(body))
			members = asked(req, body)
		}
		r.add(named(req), sent{members, headers(req.Header)})
		reply := &watched{ResponseWriter: w}
		h.ServeHTTP(reply, req)
		if reply.status == http.StatusUnauthorized {
			r.deny(req)
		}
	})
}

// watched remembers the status of a reply.
type watched struct {
	http.ResponseWriter
	status int
}

func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (r *recorder) deny(req *http.Request) {
	id, _, isBasic := req.BasicAuth()
	if !isBasic {
		id = req.Header.Get("Authorization")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.denied = append(r.denied, id)
}

// refusedTo reports whether a request with the key, or with a token of the key,
// which contains its ID, was answered with 401.
func (r *recorder) refusedTo(keyID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.denied, func(id string) bool { return strings.Contains(id, keyID) })
}

// recordS3 listens to the S3 face, whose requests are named by what they are
// about: the service, a bucket or an object.
func (r *recorder) recordS3(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		what, query := "service", req.URL.Query()
		if name, key, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/"); key != "" {
			what = "object"
		} else if name != "" {
			what = "bucket"
		}
		members := map[string]bool{}
		for name := range query {
			members["?"+name] = true
		}
		r.add(request{what, "", req.Method}, sent{members, headers(req.Header)})
		reply := &watched{ResponseWriter: w}
		h.ServeHTTP(reply, req)
		if reply.status == http.StatusForbidden {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.denied = append(r.denied, req.Header.Get("Authorization")+query.Get("X-Amz-Credential"))
		}
	})
}

func (r *recorder) add(what request, s sent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = requests{}
	}
	r.seen.add(what, s)
}

func (all requests) add(what request, s sent) {
	if _, found := all[what]; !found {
		all[what] = sent{map[string]bool{}, map[string]bool{}}
	}
	maps.Copy(all[what].members, s.members)
	maps.Copy(all[what].headers, s.headers)
}

// sorted gives the requests by call, version and verb.
func (all requests) sorted() []request {
	return slices.SortedFunc(maps.Keys(all), func(a, b request) int {
		return cmp.Or(strings.Compare(a.call, b.call), strings.Compare(a.version, b.version), strings.Compare(a.verb, b.verb))
	})
}

var callForm = regexp.MustCompile(`^/b2api/(v[0-9]+)/(b2_[a-z0-9_]+)`)

func named(r *http.Request) request {
	if m := callForm.FindStringSubmatch(r.URL.Path); m != nil {
		return request{m[2], m[1], r.Method}
	}
	if strings.HasPrefix(r.URL.Path, "/file/") {
		return request{"b2_download_file_by_name", "", r.Method}
	}
	return request{r.URL.Path, "", r.Method}
}

// asked names the members of a JSON object, those that are only null with
// "null", and the parameters of the query with a question mark.
func asked(r *http.Request, body []byte) map[string]bool {
	names := map[string]bool{}
	for name := range r.URL.Query() {
		names["?"+name] = true
	}
	var object map[string]any
	if json.Unmarshal(body, &object) == nil {
		for name, value := range object {
			if value == nil {
				name += " null"
			}
			names[name] = true
		}
	}
	return names
}

// dull are headers that every HTTP client sends, and those with which blazer
// numbers and names its requests.
var dull = []string{
	"Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Length", "User-Agent",
	"X-Blazer-Method", "X-Blazer-Request-Id",
}

// headers names those that say something about the client, with their values
// where these are a choice of few.
func headers(h http.Header) map[string]bool {
	names := map[string]bool{}
	for name := range h {
		value := strings.Join(h.Values(name), ", ")
		switch {
		case slices.Contains(dull, name), strings.HasPrefix(name, "Amz-Sdk-"), name == "X-Amz-Date":
		case name == "X-Bz-Content-Sha1", name == "X-Amz-Content-Sha256":
			names[name+": "+digest(value)] = true
		case name == "Content-Type", name == "X-Bz-Test-Mode":
			names[name+": "+value] = true
		default:
			names[name] = true
		}
	}
	return names
}

func digest(value string) string {
	if len(value) == 40 || len(value) == 64 {
		return "digits"
	}
	return value
}
