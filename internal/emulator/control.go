package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// ControlPath begins the path of every request to Control.
const ControlPath = "/_b2form/"

// Control gives the handler with which tests look behind the account and move
// its clock. It is meant for ControlPath beside the Server, answers programs on
// the same machine only, and tells no secret:
//
//	GET    calls          how often each call was made, and the requests in order
//	DELETE calls          forget them
//	GET    dump           everything in the account; see Account
//	POST   reset          empty the account and forget calls, faults and clock
//	GET    clock          what time it is in the account
//	POST   clock          {"set": "2026-11-03T12:00:00Z"} or {"advance": "72h"}
//	GET    faults         the faults to come
//	POST   faults         {"fault": "b2_create_key:status=503"}; see ParseFault
//	DELETE faults         forget them
func (s *Server) Control() http.Handler {
	mux := http.NewServeMux()
	for pattern, answer := range map[string]func(*http.Request) (any, error){
		"GET calls":     s.tellCalls,
		"DELETE calls":  func(*http.Request) (any, error) { s.ResetCalls(); return emptyReply{}, nil },
		"GET dump":      func(*http.Request) (any, error) { return s.Dump() },
		"POST reset":    func(*http.Request) (any, error) { return emptyReply{}, s.Reset() },
		"GET clock":     func(*http.Request) (any, error) { return s.tellClock(), nil },
		"POST clock":    s.moveClock,
		"GET faults":    s.tellFaults,
		"POST faults":   s.queueFault,
		"DELETE faults": func(*http.Request) (any, error) { s.ClearFaults(); return emptyReply{}, nil },
	} {
		method, name, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+ControlPath+name, func(w http.ResponseWriter, r *http.Request) {
			told, err := answer(r)
			writeControlReply(w, told, err)
		})
	}
	// A web page that is open on this machine must not reach in either.
	return onlyLocal(http.NewCrossOriginProtection().Handler(mux))
}

// onlyLocal refuses other machines, and names of this one that somebody else
// may have invented.
func onlyLocal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !peer.Addr().Unmap().IsLoopback() || !isLocal(host) {
			writeControlReply(w, nil, &controlError{http.StatusForbidden,
				"only programs on this machine may ask, by the name localhost or its " +
					"loopback address"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// emptyReply is the reply where there is nothing to tell.
type emptyReply struct{}

// A controlError is the fault of whoever asked.
type controlError struct {
	status  int
	message string
}

func (e *controlError) Error() string { return e.message }

func writeControlReply(w http.ResponseWriter, told any, err error) {
	status := http.StatusOK
	if err != nil {
		status = http.StatusInternalServerError
		var asked *controlError
		if errors.As(err, &asked) {
			status = asked.status
		}
		told = map[string]string{"error": err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(told) // the client may be gone
}

// maxControl bounds the body of a control request, in bytes.
const maxControl = 1 << 16

func readControl(r *http.Request, out any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, maxControl))
	d.DisallowUnknownFields()
	if err := d.Decode(out); err != nil {
		return &controlError{http.StatusBadRequest, fmt.Sprintf("the body is not the JSON object that %s takes: %v", r.URL.Path, err)}
	}
	return nil
}

func (s *Server) tellCalls(*http.Request) (any, error) {
	type told struct {
		Method  string          `json:"method"`
		Version int             `json:"version,omitempty"`
		Status  int             `json:"status"`
		At      time.Time       `json:"at"`
		Body    json.RawMessage `json:"body,omitempty"`
	}
	counts, calls := map[string]int{}, []told{}
	for _, c := range s.Calls() {
		counts[c.Method]++
		calls = append(calls, told{c.Method, c.Version, c.Status, c.At.UTC(), c.Body})
	}
	return map[string]any{"counts": counts, "calls": calls}, nil
}

type clockReply struct {
	Now   time.Time `json:"now"`
	Ahead string    `json:"ahead"`
}

func (s *Server) tellClock() clockReply {
	return clockReply{s.Now().UTC(), time.Duration(s.clockAheadNanos.Load()).String()}
}

func (s *Server) moveClock(r *http.Request) (any, error) {
	var wish struct {
		Set     *time.Time `json:"set"`
		Advance string     `json:"advance"`
	}
	if err := readControl(r, &wish); err != nil {
		return nil, err
	}
	switch {
	case (wish.Set == nil) == (wish.Advance == ""):
		return nil, &controlError{http.StatusBadRequest, `give one of "set", a time, and "advance", a duration`}
	case wish.Set != nil:
		if err := CheckClock(*wish.Set); err != nil {
			return nil, &controlError{http.StatusBadRequest, err.Error()}
		}
		s.StartClockAt(*wish.Set)
	default:
		d, err := time.ParseDuration(wish.Advance)
		if err != nil {
			return nil, &controlError{http.StatusBadRequest, fmt.Sprintf("%q is no duration; write it like 72h", wish.Advance)}
		}
		if err := CheckClock(s.Now().Add(d)); err != nil {
			return nil, &controlError{http.StatusBadRequest, err.Error()}
		}
		s.Advance(d)
	}
	if err := s.CatchUpLifecycle(); err != nil {
		return nil, err
	}
	return s.tellClock(), nil
}

func (s *Server) tellFaults(*http.Request) (any, error) {
	texts := []string{}
	for _, f := range s.Faults() {
		texts = append(texts, f.String())
	}
	return map[string]any{"faults": texts}, nil
}

func (s *Server) queueFault(r *http.Request) (any, error) {
	var wish struct {
		Fault string `json:"fault"`
	}
	if err := readControl(r, &wish); err != nil {
		return nil, err
	}
	f, err := ParseFault(wish.Fault)
	if err != nil {
		return nil, &controlError{http.StatusBadRequest, err.Error()}
	}
	s.QueueFault(f)
	return s.tellFaults(r)
}
