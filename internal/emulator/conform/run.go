package conform

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Subject is a server under test and its master key.
type Subject struct {
	URL         string // before "/b2api/..."
	KeyID, Key  string
	Client      *http.Client
	Advance     func(time.Duration)      // nil: its clock is the real one
	InjectFault func(fault string) error // nil: it fails only by itself
	// NamePrefix begins the name of every bucket and key that a case makes, so that
	// it can share an account and be swept up. With a prefix, what the account
	// holds beside is left out of the lists that cases compare, and requests go
	// to the hosts that the subject names. "" leaves names and hosts alone.
	NamePrefix string
}

// ErrUnsuited says that the subject cannot run the case.
var ErrUnsuited = errors.New("the case needs a clock, setup, fault or account that the subject does not have")

// canRunOn reports whether the subject has what the case needs.
func (c Case) canRunOn(s Subject) bool {
	if s.NamePrefix != "" && (c.NeedsOwnAccount || c.Account != nil) {
		return false
	}
	return !slices.ContainsFunc(c.steps, func(step step) bool {
		return step.advanceClockBy != 0 && s.Advance == nil || step.fault != "" && s.InjectFault == nil
	})
}

// Run takes the case's steps. The error tells the first step that went
// otherwise than the service.
func (c Case) Run(ctx context.Context, s Subject) error {
	if !c.canRunOn(s) {
		return ErrUnsuited
	}
	r := &run{Subject: s, vars: map[string]string{"keyId": s.KeyID, "key": s.Key, "url": s.URL}}
	if err := r.authorize(ctx, s.KeyID, s.Key); err != nil {
		return err
	}
	r.vars["account"] = r.account
	for _, step := range c.steps {
		if err := r.step(ctx, step); err != nil {
			return fmt.Errorf("line %d: %s %s: %w", step.line, step.method, step.path, err)
		}
	}
	return nil
}

type run struct {
	Subject
	vars  map[string]string
	token string
	// What the subject said when it was asked first.
	account, apiURL, downloadURL string
}

func (r *run) step(ctx context.Context, s step) error {
	switch {
	case s.advanceClockBy != 0:
		r.Advance(s.advanceClockBy)
		return nil
	case s.fault != "":
		return r.InjectFault(r.expandVariables(s.fault))
	case s.uploadArgs != nil:
		return r.upload(ctx, s)
	case len(s.authorizeAs) == 2:
		return r.authorize(ctx, r.expandVariables(s.authorizeAs[0]), r.expandVariables(s.authorizeAs[1]))
	case len(s.authorizeAs) == 1 && s.authorizeAs[0] == "nobody":
		r.token = ""
		return nil
	case len(s.authorizeAs) == 1:
		return r.authorize(ctx, r.KeyID, r.Key)
	}
	for n := range max(s.repeat, 1) {
		r.vars["n"] = strconv.Itoa(n + 1)
		if err := r.sendAndCheckReply(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// upload makes a file, whose content is its name.
func (r *run) upload(ctx context.Context, s step) error {
	steps := []step{{
		method: "POST", path: "/b2api/v4/b2_get_upload_url", wantStatus: 200,
		body:     `{"bucketId":"` + s.uploadArgs[0] + `"}`,
		wantBody: `{"authorizationToken":"$=uploadToken","uploadUrl":"$=uploadUrl"}`,
	}, {
		method: "POST", path: "${uploadUrl}", wantStatus: 200, body: s.uploadArgs[1],
		requestHeaders: []headerField{
			{"Authorization", "${uploadToken}"}, {"X-Bz-File-Name", s.uploadArgs[1]},
			{"X-Bz-Content-Sha1", "do_not_verify"}, {"Content-Type", "text/plain"},
		},
		wantBody: `{"fileId":"$=` + s.uploadArgs[2] + `"}`,
	}}
	for _, step := range steps {
		if err := r.sendAndCheckReply(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) authorize(ctx context.Context, id, key string) error {
	request, err := http.NewRequestWithContext(ctx, "GET", r.URL+"/b2api/v4/b2_authorize_account", nil)
	if err != nil {
		return err
	}
	request.SetBasicAuth(id, key)
	response, body, err := r.send(request)
	if err != nil {
		return err
	}
	var reply struct {
		AccountID, AuthorizationToken string
		APIInfo                       struct {
			StorageAPI struct{ APIURL, DownloadURL string }
		}
	}
	if err := json.Unmarshal(body, &reply); err != nil || response.StatusCode != 200 {
		return fmt.Errorf("authorize: status %d: %s", response.StatusCode, body)
	}
	r.token, r.account = reply.AuthorizationToken, reply.AccountID
	r.apiURL, r.downloadURL = reply.APIInfo.StorageAPI.APIURL, reply.APIInfo.StorageAPI.DownloadURL
	return nil
}

func (r *run) send(request *http.Request) (*http.Response, []byte, error) {
	response, err := r.Client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(response.Body)
	return response, body, errors.Join(err, response.Body.Close())
}

// expandVariables writes the variables' values into the text.
func (r *run) expandVariables(text string) string {
	return variable.ReplaceAllStringFunc(text, func(v string) string {
		name := v[2 : len(v)-1]
		if value, ok := r.vars[name]; ok {
			return value
		}
		switch name {
		case "fiveMebibytes":
			return strings.Repeat("a", 5<<20)
		case "kibibyte":
			return strings.Repeat("a", 1<<10)
		}
		return v
	})
}

var variable = regexp.MustCompile(`\$\{\w+\}`)

func (r *run) sendAndCheckReply(ctx context.Context, s step) error {
	target := r.requestURL(r.expandVariables(s.path))
	request, err := http.NewRequestWithContext(ctx, s.method, target, strings.NewReader(r.prefixNames(r.expandVariables(s.body))))
	if err != nil {
		return err
	}
	if r.token != "" {
		request.Header.Set("Authorization", r.token)
	}
	for _, f := range s.requestHeaders {
		request.Header.Set(f.name, encodeIfBasicAuth(r.expandVariables(f.value)))
	}
	response, body, err := r.send(request)
	if s.wantStatus == 0 {
		if err == nil {
			return fmt.Errorf("status %d, want no reply at all", response.StatusCode)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if response.StatusCode != s.wantStatus {
		return fmt.Errorf("status %d, want %d: %s", response.StatusCode, s.wantStatus, body)
	}
	if !s.replyIsFileContent {
		if err := checkReplyFormat(response, body); err != nil {
			return fmt.Errorf("%w: %s", err, body)
		}
	}
	for _, f := range s.wantHeaders {
		got, want := response.Header.Get(f.name), r.expandVariables(f.value)
		if want == "$absent" && response.Header.Values(f.name) == nil {
			continue
		}
		if got != want {
			return fmt.Errorf("header %s is %q, want %q", f.name, got, f.value)
		}
	}
	return r.checkBodyAndSetVars(s, body)
}

// encodeIfBasicAuth encodes what a case spells "Basic id:key".
func encodeIfBasicAuth(header string) string {
	pair, ok := strings.CutPrefix(header, "Basic ")
	if !ok || !strings.Contains(pair, ":") {
		return header
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

func (r *run) checkBodyAndSetVars(s step, body []byte) error {
	want := r.prefixNames(r.expandVariables(s.wantBody))
	if s.comparesBodyBytes || s.replyIsFileContent {
		if s.comparesBodyBytes && s.wantStatus < 300 {
			want += "\n"
		}
		if string(body) != want {
			return fmt.Errorf("the body is\n%s\nwant\n%s", body, want)
		}
		return nil
	}
	if want == "" {
		return nil
	}
	var expected, got any
	if err := decode([]byte(want), &expected); err != nil {
		return fmt.Errorf("the case's members: %w", err)
	}
	if err := decode(body, &got); err != nil {
		return err
	}
	r.removeForeignItems(got)
	found := maps.Clone(r.vars)
	if err := matchAndSetVars("reply", expected, got, found); err != nil {
		return fmt.Errorf("%w: %s", err, body)
	}
	r.vars = found
	return nil
}

// DecodeKnownMembers decodes JSON that a case holds. A member that out does not have is an error, or the case would
// test less than it says.
func DecodeKnownMembers(data []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(out)
}

func decode(data []byte, out *any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(out)
}

// matchAndSetVars compares what is expected with what came, and collects variables.
func matchAndSetVars(at string, want, got any, vars map[string]string) error {
	switch want := want.(type) {
	case string:
		if name, ok := strings.CutPrefix(want, "$="); ok {
			text, isText := got.(string)
			if !isText {
				return fmt.Errorf("%s is %v, want a string", at, got)
			}
			vars[name] = text
			return nil
		}
		if want == "$any" {
			return nil
		}
	case map[string]any:
		return matchMembersAndSetVars(at, want, got, vars)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Errorf("%s is %v, want %d elements", at, got, len(want))
		}
		for i := range want {
			if err := matchAndSetVars(fmt.Sprintf("%s[%d]", at, i), want[i], list[i], vars); err != nil {
				return err
			}
		}
		return nil
	}
	if want != got {
		return fmt.Errorf("%s is %v, want %v", at, got, want)
	}
	return nil
}

func matchMembersAndSetVars(at string, want map[string]any, got any, vars map[string]string) error {
	object, ok := got.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is %v, want an object", at, got)
	}
	if len(want) == 0 && len(object) > 0 {
		return fmt.Errorf("%s is %v, want an empty object", at, got)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		w := want[name]
		g, there := object[name]
		if (w == "$absent") == there {
			return fmt.Errorf("%s.%s: present is %v", at, name, there)
		}
		if !there {
			continue
		}
		if err := matchAndSetVars(at+"."+name, w, g, vars); err != nil {
			return err
		}
	}
	return nil
}
