// Package tfserver is a server of Terraform's http protocol for states, for tests: it keeps
// documents in memory, by path. OpenTofu's client judges it: .ci/judges/opentofu.
package tfserver

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// A Server answers as servers of the protocol do. The zero value is one that trusts its
// clients, as most of them are: whoever comes may store.
type Server struct {
	// GitLab makes it as strict as GitLab: the lock is at PATH/lock, taken by POST and given
	// back by DELETE; only who names the lock may store, each document has a serial of its own,
	// and members that stand for parameters of a request are taken for these.
	GitLab             bool
	Username, Password string // "": anybody may

	mu     sync.Mutex
	states map[string]*document
}

type document struct {
	content []byte
	lock    []byte // who holds it, as the client wrote it; nil: nobody
	lockID  string
	serials []int64
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if s.Password != "" && (user != s.Username || password != s.Password) {
		http.Error(w, `{"message":"401 Unauthorized"}`, http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(r.Body)
	if sum := md5.Sum(body); err != nil || r.Header.Get("Content-MD5") != "" &&
		r.Header.Get("Content-MD5") != base64.StdEncoding.EncodeToString(sum[:]) {
		http.Error(w, "the body is not what was sent", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	path, isLock := strings.CutSuffix(r.URL.Path, "/lock")
	method := r.Method
	switch {
	case s.GitLab && isLock && method == http.MethodPost:
		method = "LOCK"
	case s.GitLab && isLock && method == http.MethodDelete:
		method = "UNLOCK"
	case s.GitLab && (method == "LOCK" || method == "UNLOCK"):
		method = ""
	default:
		path = r.URL.Path
	}
	d := s.states[path]
	if d == nil {
		d = &document{}
		if s.states == nil {
			s.states = map[string]*document{}
		}
		s.states[path] = d
	}
	s.answer(w, method, d, body, r.URL.Query().Get("ID"))
}

func (s *Server) answer(w http.ResponseWriter, method string, d *document, body []byte, lockID string) {
	switch method {
	case http.MethodGet:
		if d.content == nil {
			http.Error(w, "there is none", http.StatusNotFound)
			return
		}
		sum := md5.Sum(d.content)
		w.Header().Set("Content-MD5", base64.StdEncoding.EncodeToString(sum[:]))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(d.content)
	case http.MethodPost, http.MethodPut:
		status, reason := s.store(d, body, lockID)
		http.Error(w, reason, status)
	case http.MethodDelete:
		if s.GitLab && d.lockID != lockID {
			http.Error(w, "locked", http.StatusConflict)
			return
		}
		d.content = nil
	case "LOCK":
		s.takeLock(w, d, body)
	case "UNLOCK":
		var by struct{ ID string }
		_ = json.Unmarshal(body, &by)
		if by.ID != "" && by.ID != d.lockID { // without an ID it is by force
			http.Error(w, "the lock is another one", http.StatusConflict)
			return
		}
		d.lock, d.lockID = nil, ""
	default:
		http.Error(w, "no such method", http.StatusMethodNotAllowed)
	}
}

func (s *Server) store(d *document, body []byte, lockID string) (status int, reason string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil || members == nil {
		return http.StatusBadRequest, "the state is no JSON object"
	}
	if !s.GitLab {
		d.content = bytes.Clone(body)
		return http.StatusOK, ""
	}
	for _, name := range []string{"id", "name", "ID"} {
		if _, taken := members[name]; taken {
			return http.StatusBadRequest, name + " is a parameter"
		}
	}
	var serial int64
	switch {
	case lockID != d.lockID:
		return http.StatusConflict, "the lock is another one"
	case json.Unmarshal(members["serial"], &serial) != nil || serial < 0:
		return http.StatusBadRequest, "serial is invalid"
	case slices.Contains(d.serials, serial):
		return http.StatusUnprocessableEntity, "there is a version with this serial"
	}
	d.content, d.serials = bytes.Clone(body), append(d.serials, serial)
	return http.StatusOK, ""
}

func (s *Server) takeLock(w http.ResponseWriter, d *document, body []byte) {
	var by map[string]any
	if err := json.Unmarshal(body, &by); err != nil || by["ID"] == "" {
		http.Error(w, "ID is missing", http.StatusBadRequest)
		return
	}
	for _, name := range []string{"ID", "Operation", "Info", "Who", "Version", "Created", "Path"} {
		if _, ok := by[name].(string); !ok {
			http.Error(w, name+" is missing", http.StatusBadRequest)
			return
		}
	}
	if d.lock != nil {
		status := http.StatusLocked
		if s.GitLab {
			status = http.StatusConflict
		}
		w.WriteHeader(status)
		_, _ = w.Write(d.lock)
		return
	}
	d.lock, d.lockID = bytes.Clone(body), fmt.Sprint(by["ID"])
}

// Content is the document at a path, as it was stored; nil: there is none.
func (s *Server) Content(path string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.states[path]; d != nil {
		return bytes.Clone(d.content)
	}
	return nil
}
