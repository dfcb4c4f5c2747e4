package laws_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"b2form/internal/emulator"
	"b2form/schema"
)

// Every attribute has a fixture, written by hand from the documentation of the
// calls, with configurations that follow one another and the writing requests
// that each must cause. So a descriptor, the generator of configurations and the
// emulator cannot agree on a mistake.
//
// IDs stand as <account>, <bucket NAME> and <key NAME N>, the N-th key of that
// name. Buckets are made without default encryption, as before September 2026.
func TestRequestsOfEachAttribute(t *testing.T) {
	left := map[string]bool{}
	files, err := filepath.Glob("testdata/wire/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		left[strings.TrimSuffix(filepath.Base(f), ".txtar")] = true
	}
	for _, k := range schema.Kinds() {
		for _, a := range k.SettableAttrs() {
			name := k.Name + "." + a.Name
			delete(left, name)
			t.Run(name, func(t *testing.T) {
				fixture, err := txtar.ParseFile("testdata/wire/" + name + ".txtar")
				if os.IsNotExist(err) {
					t.Fatalf("%s has no fixture: write testdata/wire/%s.txtar by hand from the documentation of the calls it is sent in",
						name, name)
				}
				if err != nil {
					t.Fatal(err)
				}
				w := newWorld(t, emulator.Options{Switches: emulator.Switches{UnencryptedByDefault: true}})
				defer w.close()
				sent := w.follow(fixture)
				if member, _, _ := strings.Cut(a.WirePath, "."); member != "" && !strings.Contains(sent, `"`+member+`"`) &&
					!strings.Contains(sent, header(member)) {
					t.Errorf("the fixture never sends %s", member)
				}
			})
		}
	}
	for name := range left {
		t.Errorf("testdata/wire/%s.txtar is of no attribute", name)
	}
}

// header is how the header of an upload begins that stands for a member.
func header(member string) string {
	h := map[string]string{"fileName": "X-Bz-File-Name", "contentSha1": "X-Bz-Content-Sha1", "contentType": "Content-Type",
		"fileInfo": "X-Bz-Info-", "serverSideEncryption": "X-Bz-Server-Side-Encryption"}[member]
	if h == "" {
		return `"` + member + `"`
	}
	return `"` + h
}

// follow applies the fixture's configurations one after the other and compares
// what is written. It gives all requests that the fixture names.
func (w *world) follow(fixture *txtar.Archive) (all string) {
	w.Helper()
	ids := w.nameIDs()
	if len(fixture.Files) == 0 || len(fixture.Files)%2 != 0 {
		w.Fatalf("a fixture has pairs of NAME.b2.hcl and NAME.requests")
	}
	for i := 0; i < len(fixture.Files); i += 2 {
		config, requests := fixture.Files[i], fixture.Files[i+1]
		step := strings.TrimSuffix(config.Name, ".b2.hcl")
		if requests.Name != step+".requests" {
			w.Fatalf("%s is not followed by %s.requests", config.Name, step)
		}
		w.configure(string(config.Data))
		start := w.traffic.count()
		w.done(mode{})
		var got []string
		for _, r := range w.traffic.writesSince(start) {
			got = append(got, r.verb+" "+r.path+"\n"+w.pretty(ids.Replace(string(r.raw))))
		}
		all += string(requests.Data)
		// Which of two requests comes first is open; one that needs another's reply holds an ID or a revision of it.
		slices.Sort(got)
		want := w.parse(string(requests.Data))
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("%s (-fixture +sent):\n%s", step, diff)
		}
		w.settled(mode{})
	}
	return all
}

// parse splits a .requests file at empty lines.
func (w *world) parse(text string) []string {
	w.Helper()
	var out []string
	for _, part := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if line, body, ok := strings.Cut(part, "\n"); ok {
			out = append(out, line+"\n"+w.pretty(body))
		}
	}
	return out
}

// pretty gives one form to all ways of writing a JSON document.
func (w *world) pretty(text string) string {
	w.Helper()
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		w.Fatalf("%v in %s", err, text)
	}
	return indented(w, v)
}

// nameIDs replaces the IDs of what is made from now on.
func (w *world) nameIDs() *idNames {
	n := &idNames{pairs: []string{w.b2.AccountID() + `"`, `<account>"`}, made: map[string]int{}}
	w.traffic.around = func(_ int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		reply, err := send()
		if err != nil || !strings.Contains(r.URL.Path, "b2_create_") && !strings.Contains(r.URL.Path, "b2_upload_file") {
			return reply, err
		}
		body, err := io.ReadAll(reply.Body)
		reply.Body = io.NopCloser(bytes.NewReader(body))
		var m struct{ BucketID, BucketName, ApplicationKeyID, KeyName, FileID, FileName string }
		if err := json.Unmarshal(body, &m); err != nil {
			return reply, nil // the client says so
		}
		switch {
		case m.FileID != "":
			n.made[m.FileName]++
			// it holds the bucket's ID
			n.pairs = append([]string{m.FileID, fmt.Sprintf("<file %s %d>", m.FileName, n.made[m.FileName])}, n.pairs...)
		case m.ApplicationKeyID != "":
			n.made[m.KeyName]++
			n.pairs = append(n.pairs, m.ApplicationKeyID, fmt.Sprintf("<key %s %d>", m.KeyName, n.made[m.KeyName]))
		case m.BucketID != "":
			n.pairs = append(n.pairs, m.BucketID, "<bucket "+m.BucketName+">")
		}
		return reply, err
	}
	return n
}

// idNames are the IDs that were made. Worlds with one request at a time use it.
type idNames struct {
	pairs []string
	made  map[string]int
}

func (n *idNames) Replace(text string) string { return strings.NewReplacer(n.pairs...).Replace(text) }
