package b2_test

import (
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"b2form/internal/b2"
	"b2form/internal/emulator"
	"b2form/schema/wire"
)

func (a *account) textFile(name, text string) wire.Upload {
	return wire.Upload{BucketID: a.bucket, Name: name, ContentType: "b2/x-auto", Info: map[string]string{"team": "a/b ü+1"},
		Payload: &wire.Payload{
			Size: int64(len(text)), SHA1: fmt.Sprintf("%x", sha1.Sum([]byte(text))), SourcePath: "the test",
			Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
		}}
}

type uploaded struct {
	FileID, FileName, ContentSHA1, ContentType string
	ContentLength                              int
	FileInfo                                   map[string]string
}

func TestPut(t *testing.T) {
	a := open(t)
	for _, text := range []string{"<p>\n", ""} {
		raw, err := a.client.Put(t.Context(), a.textFile("pages/ünï code+1.html", text))
		if err != nil {
			t.Fatal(err)
		}
		var got uploaded
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if got.FileName != "pages/ünï code+1.html" || got.ContentType != "text/html" || got.ContentLength != len(text) ||
			got.FileInfo["team"] != "a/b ü+1" {
			t.Errorf("B2 made %+v", got)
		}
		content, err := a.client.Download(t.Context(), got.FileID, 0)
		if err != nil || string(content) != text {
			t.Errorf("the file holds %q, %v", content, err)
		}
	}
}

// One upload URL serves one file after the other; as many are asked for as files
// are uploaded at once.
func TestPutUsesURLsAgain(t *testing.T) {
	a := open(t)
	a.ResetCalls()
	work := make(chan int)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for i := range work {
				if _, err := a.client.Put(t.Context(), a.textFile(fmt.Sprintf("file-%d", i), "x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 100 {
		work <- i
	}
	close(work)
	all.Wait()
	if urls, files := a.count("b2_get_upload_url"), a.count("b2_upload_file"); urls > 10 || files != 100 {
		t.Errorf("%d files took %d upload URLs; want 100 and at most 10", files, urls)
	}
}

// A refused upload URL is replaced and one that was in trouble is not used again.
// What may have taken effect is not sent again.
func TestPutDoesNotRepeat(t *testing.T) {
	a := open(t)
	a.ResetCalls()
	a.QueueFault(emulator.Fault{Method: "b2_upload_file", Status: 401, Code: "expired_auth_token"})
	a.QueueFault(emulator.Fault{Method: "b2_upload_file", Nth: 2, Status: 429, Code: "too_many_requests"})
	if _, err := a.client.Put(t.Context(), a.textFile("a", "x")); err != nil {
		t.Fatal(err)
	}
	if urls, tries := a.count("b2_get_upload_url"), a.count("b2_upload_file"); urls != 2 || tries != 3 {
		t.Errorf("%d upload URLs for %d tries, want 2 for 3", urls, tries)
	}
	a.ResetCalls()
	for n := range 2 { // another program uses the URL that B2 gave
		a.QueueFault(emulator.Fault{Method: "b2_upload_file", Nth: n + 1, Status: 400, Code: "auth_token_limit"})
	}
	if _, err := a.client.Put(t.Context(), a.textFile("a", "x")); err != nil || a.count("b2_get_upload_url") != 2 {
		t.Errorf("%d upload URLs, %v; want one after each that is in use", a.count("b2_get_upload_url"), err)
	}
	for _, f := range []emulator.Fault{{TakesEffect: true}, {Status: 503, Code: "service_unavailable"}} {
		a.ResetCalls()
		f.Method = "b2_upload_file"
		a.QueueFault(f)
		_, err := a.client.Put(t.Context(), a.textFile("b", "x"))
		if e := kindError(t, err); !e.OutcomeUnknown || a.count("b2_upload_file") != 1 {
			t.Errorf("%d tries, %+v; want one, of unknown outcome", a.count("b2_upload_file"), e)
		}
		if _, err := a.client.Put(t.Context(), a.textFile("b", "x")); err != nil || a.count("b2_get_upload_url") != 1 {
			t.Errorf("%d upload URLs, %v; want another one after the trouble", a.count("b2_get_upload_url"), err)
		}
	}
}

func TestPutOfWhatCannotBeRead(t *testing.T) {
	a := open(t)
	u := a.textFile("a", "x")
	u.Payload.Open = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
	_, err := a.client.Put(t.Context(), u)
	if e := kindError(t, err); e.OutcomeUnknown || a.count("b2_upload_file") != 0 {
		t.Errorf("%d uploads, %+v; want none", a.count("b2_upload_file"), e)
	}
	u = a.textFile("a", "x")
	u.Payload.Open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("y")), nil }
	_, err = a.client.Put(t.Context(), u)
	if e := kindError(t, err); e.Status != 400 || e.OutcomeUnknown {
		t.Errorf("B2 took other content than announced: %+v", e)
	}
}

func TestPurge(t *testing.T) {
	a := open(t)
	for _, name := range []string{"a", "a", "a", "a.txt", "a/b", "A", "B"} {
		if _, err := a.client.Put(t.Context(), a.textFile(name, "x")); err != nil {
			t.Fatal(err)
		}
	}
	a.call(t, "b2_hide_file", object{"bucketId": a.bucket, "fileName": "a"}, nil)
	last := 0
	n, err := a.client.Purge(t.Context(), a.bucket, "a", func(removed int) { last = removed })
	if err != nil || n != 4 || last != 4 {
		t.Errorf("removed %d, told of %d: %v; want 4", n, last, err)
	}
	var left struct{ Files []struct{ FileName string } }
	a.call(t, "b2_list_file_versions", object{"bucketId": a.bucket}, &left)
	if got := fmt.Sprint(left.Files); got != "[{A} {B} {a.txt} {a/b}]" {
		t.Errorf("what is left: %s", got)
	}
	if n, err := a.client.Purge(t.Context(), a.bucket, "nothing", nil); err != nil || n != 0 {
		t.Errorf("removed %d of nothing: %v", n, err)
	}
}

// B2 says nothing of why it refuses; the message does.
func TestPutRefused(t *testing.T) {
	a := open(t)
	a.QueueFault(emulator.Fault{Method: "b2_upload_file", Status: 401, Code: "unauthorized"})
	_, err := a.client.Put(t.Context(), a.textFile("a", "x"))
	e := kindError(t, err)
	wantContains(t, "message", e.Message, "may not do this")
	wantContains(t, "restriction", e.CredentialScope, "capabilities")
}

// Nothing is sent to an upload URL that cannot be one of B2's, and the refusal names it.
func TestPutRefusesAnUploadURLThatLeadsElsewhere(t *testing.T) {
	for reply, want := range map[string]string{
		`"uploadUrl": "http://127.0.0.2:18999/x", "authorizationToken": "t"`: "on 127.0.0.2:18999 that does " +
			"not lead",
		`"uploadUrl": "http://\u001b]8:1/x", "authorizationToken": "t"`:                                "that is none",
		`"uploadUrl": "file:///etc/passwd", "authorizationToken": "t"`:                                 "that is none",
		`"uploadUrl": "http://127.0.0.2/b2api/v4/b2_upload_file/x", "authorizationToken": "t\r\nE: 1"`: "or a token that is none",
	} {
		s := serve(t, map[string][]answer{"b2_get_upload_url": {ok("{" + reply + "}")}})
		client, _ := connect(t, s, nil)
		_, err := client.Put(t.Context(), (&account{}).textFile("x", "content"))
		summary, detail := b2.Explain(err)
		wantContains(t, "summary", summary, "B2 answered b2_get_upload_url with a URL", want)
		wantContains(t, "detail", detail, "Something other than B2 answers")
	}
}
