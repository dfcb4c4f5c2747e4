package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"b2form/internal/emulator"
)

// behind is the command b2 of scripts.
func behind(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 || neg {
		ts.Fatalf("usage: b2 dump|put|fail|calls|as ...")
	}
	a := ts.Value(serviceKey{}).(*service)
	verbs := map[string]func(*testscript.TestScript, []string) error{
		"dump": a.dump, "put": a.put, "fail": a.fail, "upload": a.upload,
		"hold": a.hold, "await": a.await, "release": a.release, "calls": a.calls, "as": a.as, "terraform": a.terraform,
		"advance": a.advance, "date": a.setDate, "unlist": a.unlist, "outdate": a.earlier.outdate,
	}
	verb, ok := verbs[args[0]]
	if !ok {
		ts.Fatalf("b2 %s: unknown", args[0])
	}
	if err := verb(ts, args[1:]); err != nil {
		ts.Fatalf("b2 %s: %v", strings.Join(args, " "), err)
	}
}

// A service is an emulated account on loopback.
type service struct {
	*emulator.Server
	earlier *earlierReplies
	http    *httptest.Server
	s3      *httptest.Server // the S3-compatible API

	dateAhead atomic.Int64

	mu       sync.Mutex
	unlisted unlistedObject
	held     string        // the method of which the next request is held up
	arrived  chan struct{} // closed when it is there
	going    chan struct{} // closed when it may go on
}

func newService(now func() time.Time) (*service, error) {
	a := &service{earlier: newEarlierReplies()}
	a.http = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.delay(r)
		if ahead := time.Duration(a.dateAhead.Load()); ahead != 0 {
			w = datedWriter{w, ahead}
		}
		if name := a.unlistedIn(r); name != "" {
			serveWithout(w, r, a.Server, name)
			return
		}
		a.earlier.serve(w, r, a.Server)
	}))
	a.s3 = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.S3().ServeHTTP(w, r) }))
	var err error
	a.Server, err = emulator.Open(emulator.Options{
		Now: now, URL: "http://" + a.http.Listener.Addr().String(), S3URL: "http://" + a.s3.Listener.Addr().String(),
		Switches: emulator.Switches{TakenBucketNames: []string{"taken-by-somebody"}, AllowConsoleBucketTypes: true,
			DestinationsFirst: true},
	})
	if err == nil {
		a.http.Start()
		a.s3.Start()
	}
	return a, err
}

// delay holds up a request that hold asked for.
func (a *service) delay(r *http.Request) {
	a.mu.Lock()
	wait := a.held != "" && strings.HasSuffix(r.URL.Path, "/"+a.held)
	if wait {
		a.held = ""
		close(a.arrived)
	}
	going := a.going
	a.mu.Unlock()
	if wait {
		<-going
	}
}

func (a *service) hold(_ *testscript.TestScript, args []string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held, a.arrived, a.going = args[0], make(chan struct{}), make(chan struct{})
	return nil
}

func (a *service) await(*testscript.TestScript, []string) error {
	<-a.arrived
	return nil
}

func (a *service) release(*testscript.TestScript, []string) error {
	a.letGo()
	return nil
}

// letGo lets a request go on that was held up, if there is one.
func (a *service) letGo() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.going != nil {
		close(a.going)
	}
	a.going = nil
}

func (a *service) close() {
	a.letGo()
	a.http.Close()
	a.s3.Close()
	_ = a.Server.Close()
}

func (a *service) dump(ts *testscript.TestScript, _ []string) error {
	d, err := a.Dump()
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(ts.Stdout(), string(b))
	return err
}

func (a *service) put(ts *testscript.TestScript, args []string) error {
	reply, err := a.call(args[0], args[1])
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(ts.Stdout(), string(reply))
	return err
}

// advance moves the clock of the account: "b2 advance 3h".
func (a *service) advance(_ *testscript.TestScript, args []string) error {
	by, err := time.ParseDuration(args[0])
	a.Advance(by)
	return err
}

// setDate has replies carry a Date that is so far ahead of the account's clock: "b2 date 264h".
func (a *service) setDate(_ *testscript.TestScript, args []string) error {
	by, err := time.ParseDuration(args[0])
	a.dateAhead.Store(int64(by))
	return err
}

// An unlistedObject is a bucket or key that the next listings lack.
type unlistedObject struct {
	method string // of the listings
	name   string
	left   int // listings that lack it; less is all from now on
}

// unlist has the next listings lack an object, as those of a B2 that lags behind: "b2 unlist b2_list_keys 2 app".
func (a *service) unlist(_ *testscript.TestScript, args []string) error {
	n, err := strconv.Atoi(args[1])
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unlisted = unlistedObject{args[0], args[2], n}
	return err
}

// unlistedIn is the name of what the reply to a request is to lack; "": nothing.
func (a *service) unlistedIn(r *http.Request) (name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.unlisted.left == 0 || !strings.HasSuffix(r.URL.Path, "/"+a.unlisted.method) {
		return ""
	}
	a.unlisted.left--
	return a.unlisted.name
}

// serveWithout answers a listing without the bucket or key of a name.
func serveWithout(w http.ResponseWriter, r *http.Request, server http.Handler, name string) {
	full := httptest.NewRecorder()
	server.ServeHTTP(full, r)
	var reply map[string]any
	_ = json.Unmarshal(full.Body.Bytes(), &reply) // what is no object is answered as an empty one, which no client takes
	for member, value := range reply {
		if list, ok := value.([]any); ok {
			reply[member] = slices.DeleteFunc(list, func(o any) bool {
				members, _ := o.(map[string]any)
				return members["bucketName"] == name || members["keyName"] == name
			})
		}
	}
	maps.Copy(w.Header(), full.Header())
	w.Header().Del("Content-Length")
	w.WriteHeader(full.Code)
	_ = json.NewEncoder(w).Encode(reply)
}

// A datedWriter changes the Date of a reply.
type datedWriter struct {
	http.ResponseWriter
	ahead time.Duration
}

func (w datedWriter) WriteHeader(status int) {
	if at, err := http.ParseTime(w.Header().Get("Date")); err == nil {
		w.Header().Set("Date", at.Add(w.ahead).Format(http.TimeFormat))
	}
	w.ResponseWriter.WriteHeader(status)
}

// call sends one request with the master key, past b2form.
func (a *service) call(method, body string) ([]byte, error) {
	body, err := a.withIDs(body)
	if err != nil {
		return nil, err
	}
	token, err := a.token()
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"b2_delete_key", "b2_get_upload_url", "b2_hide_file", "b2_set_bucket_notification_rules"}, method) {
		body = strings.Replace(body, "{", `{"accountId":"`+a.AccountID()+`",`, 1)
	}
	return fetch(http.MethodPost, a.http.URL+"/b2api/v4/"+method, body, func(r *http.Request) { r.Header.Set("Authorization", token) })
}

func (a *service) token() (string, error) {
	reply, err := fetch(http.MethodGet, a.http.URL+"/b2api/v4/b2_authorize_account", "",
		func(r *http.Request) { r.SetBasicAuth(a.MasterKeyID(), a.MasterKey()) })
	if err != nil {
		return "", err
	}
	var session struct{ AuthorizationToken string }
	return session.AuthorizationToken, json.Unmarshal(reply, &session)
}

// withIDs replaces "@name" by the ID of the bucket or key with the name.
func (a *service) withIDs(body string) (string, error) {
	d, err := a.Dump()
	if err != nil {
		return "", err
	}
	for _, b := range d.Buckets {
		body = strings.ReplaceAll(body, fmt.Sprintf(`"@%s"`, b["bucketName"]), fmt.Sprintf("%q", b["bucketId"]))
	}
	for _, k := range d.Keys {
		body = strings.ReplaceAll(body, fmt.Sprintf(`"@%s"`, k["keyName"]), fmt.Sprintf("%q", k["applicationKeyId"]))
	}
	return body, nil
}

func fetch(method, url, body string, prepare func(*http.Request)) ([]byte, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	prepare(r)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	reply, err := io.ReadAll(resp.Body)
	err = errors.Join(err, resp.Body.Close())
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(reply))
	}
	return reply, err
}

func (a *service) fail(_ *testscript.TestScript, args []string) error {
	if len(args) < 5 {
		return errors.New("usage: METHOD N before|after STATUS CODE [MESSAGE]")
	}
	nth, err1 := strconv.Atoi(args[1])
	status, err2 := strconv.Atoi(args[3])
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	a.QueueFault(emulator.Fault{Method: args[0], Nth: nth, TakesEffect: args[2] == "after", Status: status, Code: args[4],
		Message: strings.Join(args[5:], " ")})
	return nil
}

// calls compares the number of requests per method since the last look.
func (a *service) calls(ts *testscript.TestScript, args []string) error {
	got := map[string]int{}
	for _, c := range a.Calls() {
		got[c.Method]++
		if c.Method != "b2_authorize_account" && !strings.HasPrefix(c.Method, "b2_list_") && !strings.HasPrefix(c.Method, "b2_get_") {
			got["writes"]++
		}
	}
	a.ResetCalls()
	var text []string
	for _, method := range slices.Sorted(maps.Keys(got)) {
		text = append(text, fmt.Sprintf("%s=%d", method, got[method]))
	}
	for _, arg := range args {
		method, n, _ := strings.Cut(arg, "=")
		if strconv.Itoa(got[method]) != n {
			return fmt.Errorf("there were %s", strings.Join(text, " "))
		}
	}
	_, err := fmt.Fprintln(ts.Stdout(), strings.Join(text, "\n"))
	return err
}

// as makes a key with the capabilities, limited to a bucket if one is named, and
// puts it into the environment of the script.
func (a *service) as(ts *testscript.TestScript, args []string) error {
	request := map[string]any{"keyName": "restricted", "capabilities": strings.Split(args[0], ",")}
	if len(args) > 1 {
		request["bucketIds"] = []string{"@" + args[1]}
	}
	b, err := json.Marshal(request)
	if err != nil {
		return err
	}
	reply, err := a.call("b2_create_key", string(b))
	if err != nil {
		return err
	}
	var made struct{ ApplicationKeyID, ApplicationKey string }
	if err := json.Unmarshal(reply, &made); err != nil {
		return err
	}
	ts.Setenv("B2_APPLICATION_KEY_ID", made.ApplicationKeyID)
	ts.Setenv("B2_APPLICATION_KEY", made.ApplicationKey)
	return nil
}

// upload puts a small file into a bucket.
func (a *service) upload(_ *testscript.TestScript, args []string) error {
	reply, err := a.call("b2_get_upload_url", `{"bucketId":"@`+args[0]+`"}`)
	if err != nil {
		return err
	}
	var to struct{ UploadURL, AuthorizationToken string }
	if err := json.Unmarshal(reply, &to); err != nil {
		return err
	}
	_, err = fetch(http.MethodPost, to.UploadURL, args[1], func(r *http.Request) {
		r.Header.Set("Authorization", to.AuthorizationToken)
		r.Header.Set("X-Bz-File-Name", args[1])
		r.Header.Set("Content-Type", "text/plain")
		r.Header.Set("X-Bz-Content-Sha1", fmt.Sprintf("%x", sha1.Sum([]byte(args[1]))))
	})
	return err
}
