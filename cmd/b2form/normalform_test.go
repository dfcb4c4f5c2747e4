package main

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
)

// What two names of one look differ in is shown, wherever others chose them: in the account, and in a state that was edited.
func TestTextsInAnotherNormalFormAreShownWithEscapes(t *testing.T) {
	const bucket, shown = "bucket \"photos\" {\n  name = \"acme-photos\"\n}\n", `cafe\u0301`
	b := newBench(t, bucket)
	if code := b.run("apply", "-auto-approve"); code != 0 {
		t.Fatal(b.err)
	}
	<-b.ticks
	if err := b.upload(nil, []string{"acme-photos", url.PathEscape("cafe\u0301")}); err != nil {
		t.Fatal(err)
	}
	reply, err := b.call("b2_create_key", `{"keyName":"reader","bucketIds":["@acme-photos"],"namePrefix":"cafe\u0301/",`+
		`"capabilities":["listBuckets","listFiles","readFiles"]}`)
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ ApplicationKeyID, ApplicationKey string }
	if err := json.Unmarshal(reply, &made); err != nil {
		t.Fatal(err)
	}
	wants := func(code int, text string, args ...string) {
		t.Helper()
		from, fromErr := len(b.out.String()), len(b.err.String())
		if got := b.run(args...); got != code {
			t.Errorf("b2form %s: exit code %d", strings.Join(args, " "), got)
		}
		said := b.out.String()[from:] + b.err.String()[fromErr:]
		if !strings.Contains(strings.Join(strings.Fields(said), " "), text) || strings.Contains(said, "e\u0301") {
			t.Errorf("b2form %s: %s is missing, or the text without escapes is in:\n%s", strings.Join(args, " "), text, said)
		}
	}
	wants(0, "acme-photos: "+shown+"/*", "keys")
	wants(0, `"`+shown+`/"`, "keys", "-verbose")
	wants(0, `Not declared: file "acme-photos/`+shown+`", since`, "adopt", "-files=acme-photos/")
	b.env["B2_APPLICATION_KEY_ID"], b.env["B2_APPLICATION_KEY"] = made.ApplicationKeyID, made.ApplicationKey
	wants(0, "File names "+shown+"/", "whoami")
	wants(0, `"name_prefix": "`+shown+`/"`, "whoami", "-json")
	file := "file \"x\" {\n  bucket  = bucket.photos\n  name    = \"café/x\"\n  content = \"x\"\n}\n"
	if err := os.WriteFile("file.b2.hcl", []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	wants(1, `start with "`+shown+`/", so b2form cannot see`, "plan")
	state, err := os.ReadFile("b2form.state.json")
	if err != nil {
		t.Fatal(err)
	}
	state = []byte(strings.Replace(string(state), `"identity":"acme-photos"`, `"identity":"cafe\u0301"`, 1))
	if err := os.WriteFile("b2form.state.json", state, 0o600); err != nil {
		t.Fatal(err)
	}
	wants(0, `identity = "`+shown+`"`, "state", "show", "bucket.photos")
	wants(0, `"identity": "`+shown+`"`, "state", "show", "-json", "bucket.photos")
}
