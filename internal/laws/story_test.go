package laws_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/emulator"
	"b2form/internal/testrun/engines"
)

// A story is the change from one configuration to the next that something
// disturbs.
type story struct {
	name          string
	first, second string
	mode          mode
	// meanwhile happens between the two; may be nil.
	meanwhile func(*world)
	engine    engines.BackendType // that has the state; none: it is in the folder
}

// on is the story with its state on an engine.
func (l story) on(e engines.BackendType) story {
	l.engine = e
	return l
}

const namesakes = `
key "a" {
  name   = "app"
  access = "read_only"
  deliver "file" {
    path = "a.env"
  }
}
key "b" {
  name   = "app"
  access = "read_write"
  deliver "file" {
    path = "b.env"
  }
}
# another`

const namesake = `
key "c" {
  name   = "app"
  access = "read_only"
  deliver "file" {
    path = "c.env"
  }
}`

// stories are the sorts of change there are. Between them every verb of every
// kind is called.
func stories() []story {
	return []story{
		{name: "create", second: original},
		{name: "update", first: original, second: changed},
		{name: "replace", first: original, second: otherKeys},
		{name: "remove", first: original, second: ""},
		{name: "destroy with files", first: original, second: original, mode: mode{destroy: true}, meanwhile: (*world).fill},
		{name: "adopt", first: original, second: changed, meanwhile: (*world).loseState},
		{name: "notification rules", first: told, second: replace(told, "example.com/events", "example.com/others")},
		{name: "notification rules of a new bucket", first: "", second: told},
		{name: "files", second: site},
		{name: "new versions", first: site, second: newer},
		{name: "hidden files", first: site, second: replace(site, page, ""),
			meanwhile: func(w *world) { w.upload(w.bucketID("acme-site"), "pages/first.html2") }},
		{name: "files destroyed with all versions", first: newer, second: newer, mode: mode{destroy: true}, meanwhile: func(w *world) {
			w.upload(w.bucketID("acme-site"), "pages/first.html")
		}},
		{name: "adopted files", first: site, second: newer, meanwhile: (*world).loseState},
		{name: "replicate", second: replicated},
		{name: "replicate what is there", first: replace(replicated, copying, "", taking, ""), second: replicated},
		{name: "replicate with other keys", first: replicated,
			second:    replace(replicated, `["readFiles"]`, `["listFiles", "readFiles"]`, "every   = \"90d\"", "every   = \"80d\""),
			meanwhile: func(w *world) { w.pass(91 * 24 * time.Hour) }},
		{name: "adopt what replicates", first: replicated, second: replace(replicated, `name        = "copy"`, `name        = "copies"`),
			meanwhile: (*world).loseState},
		{name: "replicate no longer", first: replicated, second: replace(replicated, copying, "")},
		{name: "destroy what replicates", first: replicated, second: replicated, mode: mode{destroy: true}},
		{name: "other info, and content that is ignored", first: site, second: replace(site, `"hello.txt"`, `"own.txt"
  info           = { team = "web" }
  ignore_changes = [content]`), meanwhile: func(w *world) { w.must(os.WriteFile(w.path("own.txt"), []byte("own\n"), 0o600)) }},
		{name: "renamed files", first: site, second: replace(site, "source.txt", "renamed.txt", "pages/", "sheets/")},
		{name: "keys of one name", first: namesakes, second: replace(namesakes, "# another", namesake)},
		{name: "keys of one name at once", second: replace(namesakes, "# another", namesake)},
		{name: "create what rotates", first: "", second: rotating},
		{name: "rotate", first: rotating, second: rotating, meanwhile: func(w *world) { w.pass(91 * 24 * time.Hour) }},
		{name: "end of an overlap", first: rotating, second: rotating, meanwhile: func(w *world) {
			w.pass(91 * 24 * time.Hour)
			w.done(mode{})
			w.pass(8 * 24 * time.Hour)
		}},
		{name: "recover what vanished", first: original, second: original, meanwhile: (*world).vanish},
	}
}

const original = `
bucket "vault" {
  name              = "acme-vault"
  file_lock_enabled = true
  default_retention {
    mode     = "governance"
    duration = 30
  }
}
bucket "photos" {
  name            = "acme-photos"
  info            = { team = "web" }
  lifecycle_rules = keep_only_last_version()
  force_destroy   = true
}
key "one" {
  name           = "one"
  access         = "read_write"
  buckets        = [bucket.photos]
  name_prefix    = "library/"
  valid_duration = "90d"
  deliver "file" { path = "one.env" }
}
key "several" {
  name         = "several"
  capabilities = ["listFiles", "readFiles"]
  buckets      = [bucket.photos, bucket.vault]
  deliver "file" { path = "several.env" }
}
key "every" {
  name         = "every"
  capabilities = ["listBuckets"]
  deliver "file" {
    path    = "every.env"
    content = "B2_APPLICATION_KEY_ID=${self.application_key_id}\nB2_APPLICATION_KEY=${self.application_key}\nBUCKET=${bucket.vault.id}\n"
  }
}
`

// changed has other settings of both buckets, and the same keys.
var changed = replace(original,
	"duration = 30", "duration = 7",
	`{ team = "web" }`, "{}",
	"keep_only_last_version()", "keep_prior_versions(7)",
	"force_destroy   = true", "type = \"allPublic\"\n  file_lock_enabled = true\n  default_retention {\n    mode = \"compliance\"\n    "+
		"duration = 1\n  }\n")

// otherKeys limits each key otherwise.
var otherKeys = replace(original,
	"buckets        = [bucket.photos]", "buckets = [bucket.photos, bucket.vault]",
	"buckets      = [bucket.photos, bucket.vault]", "buckets = [bucket.vault]",
	`["listBuckets"]`, `["listBuckets", "listFiles"]`)

// told has the rules of one bucket.
const told = `
bucket "told" { name = "acme-told" }

notification_rules "told" {
  bucket = bucket.told
  rules {
    name        = "everything"
    event_types = ["b2:ObjectCreated:*", "b2:ObjectDeleted:*"]
    target_configuration { url = "https://www.example.com/events" }
  }
}
`

// site has files of all sorts.
const site = `
bucket "site" {
  name          = "acme-site"
  force_destroy = true
}
file "source" {
  bucket = bucket.site
  name   = "source.txt"
  source = "hello.txt"
}
` + page

const page = `
file "page" {
  for_each      = toset(["first", "second"])
  bucket        = "acme-site"
  name          = "pages/${each.key}.html"
  content       = "<p>${each.key}"
  info          = { page = each.key }
  force_destroy = true
}
`

// newer has another content or info in every file.
var newer = replace(site, `"hello.txt"`, `"hello.txt"
  info   = { b2-expires = "Thu, 01 Dec 2026 16:00:00 GMT" }`, "<p>", "<p class='new'>")

// replicated copies from one bucket to another, each with a key that is limited to
// it; one of them rotates.
const (
	copying = `
  info = { team = "web" }
  replication {
    source {
      key = key.reader
      rules {
        name        = "copy"
        destination = bucket.copy
      }
    }
  }`
	taking = `
  replication {
    destination {
      keys = [{ source = "reader", destination = key.writer }]
    }
  }`
	replicated = `
bucket "photos" {
  name = "acme-photos"` + copying + `
}
bucket "copy" {
  name              = "acme-copy"
  file_lock_enabled = true
  default_retention {
    mode     = "governance"
    duration = 30
  }` + taking + `
}
key "reader" {
  name         = "reader"
  capabilities = ["readFiles"]
  buckets      = [bucket.photos]
  deliver "file" { path = "reader.env" }
}
key "writer" {
  name         = "writer"
  capabilities = ["writeFiles"]
  buckets      = [bucket.copy]
  rotate {
    every   = "90d"
    overlap = "7d"
  }
  deliver "file" { path = "writer.env" }
}
`
)

// rotating renews a key every 90 days and keeps the old one for another week.
const rotating = `
key "robot" {
  name         = "robot"
  capabilities = ["listBuckets"]
  rotate {
    every   = "90d"
    overlap = "7d"
  }
  deliver "file" { path = "robot.env" }
}
`

func replace(text string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if strings.Count(text, pairs[i]) != 1 {
			panic("the text does not hold exactly one " + pairs[i])
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// fill puts into acme-photos what must go before the bucket can: versions, a
// hide marker and an unfinished large file.
func (w *world) fill() {
	id := w.bucketID("acme-photos")
	for range 2 {
		w.upload(id, "a.txt")
	}
	w.by("b2_hide_file", `{"bucketId":%q,"fileName":"a.txt"}`, id)
	w.by("b2_start_large_file", `{"bucketId":%q,"fileName":"c.bin","contentType":"b2/x-auto"}`, id)
}

// upload stores a file by hand, with more headers as "NAME: VALUE", and gives its ID.
func (w *world) upload(bucketID, name string, headers ...string) string {
	w.Helper()
	to := w.by("b2_get_upload_url", `{"bucketId":%q}`, bucketID)
	r := httptest.NewRequest("POST", to["uploadUrl"].(string), strings.NewReader("text"))
	r.Header.Set("Authorization", to["authorizationToken"].(string))
	r.Header.Set("X-Bz-File-Name", name)
	r.Header.Set("Content-Type", "text/plain")
	r.Header.Set("X-Bz-Content-Sha1", "do_not_verify")
	for _, h := range headers {
		header, value, _ := strings.Cut(h, ": ")
		r.Header.Set(header, value)
	}
	status, reply := w.send(r)
	if status != 200 {
		w.Fatalf("upload by hand: %d %v", status, reply)
	}
	return reply["fileId"].(string)
}

// vanish deletes one of each by hand.
func (w *world) vanish() {
	w.deleteKey("every")
	w.by("b2_delete_bucket", `{"bucketId":%q}`, w.bucketID("acme-vault"))
}

func (w *world) bucketID(name string) string {
	w.Helper()
	for _, b := range w.live("b2_list_buckets", "buckets") {
		if b["bucketName"] == name {
			return b["bucketId"].(string)
		}
	}
	w.Fatalf("there is no bucket %s", name)
	return ""
}

// live lists what there is, by hand.
func (w *world) live(method, member string) []map[string]any {
	w.Helper()
	var out []map[string]any
	for _, o := range w.by(method, "{}")[member].([]any) {
		out = append(out, o.(map[string]any))
	}
	return out
}

// begin tells the story up to where it may be disturbed.
func (l story) begin(j judge) *world {
	w := newWorldOn(j, emulator.Options{}, l.engine)
	w.strangers()
	w.configure(l.first)
	w.done(mode{})
	if l.meanwhile != nil {
		l.meanwhile(w)
	}
	w.configure(l.second)
	w.before = w.live("b2_list_keys", "keys")
	return w
}

// outcomes are those of the stories that were told undisturbed: several tests ask for each.
var outcomes sync.Map

type outcome struct {
	account  string
	requests []request
}

// undisturbed gives what the story comes to when nothing happens, and the requests
// it takes.
func (l story) undisturbed(j judge) (account string, requests []request) {
	story := fmt.Sprint(l.name, l.first, l.second)
	if known, ok := outcomes.Load(story); ok {
		return known.(outcome).account, slices.Clone(known.(outcome).requests)
	}
	w := l.begin(j)
	defer w.close()
	start := w.traffic.count()
	w.done(l.mode)
	requests = w.traffic.since(start)
	w.settled(l.mode)
	w.usable()
	account = w.account()
	outcomes.Store(story, outcome{account, slices.Clone(requests)})
	return account, requests
}

// mostRuns is how many runs after a disturbed one may be needed.
const mostRuns = 2

// converge runs again until nothing is left to do, and compares.
func (l story) converge(w *world, want string) {
	w.Helper()
	w.alone = l.meanwhile == nil
	var err error
	for range mostRuns {
		var a *attempt
		if a, _, err = w.apply(l.mode); err == nil && a.idle() {
			break
		}
	}
	if err != nil {
		w.Fatalf("the last run still fails: %v", err)
	}
	w.settled(l.mode)
	if diff := cmp.Diff(want, w.account()); diff != "" {
		w.Errorf("the account is not that of an undisturbed run (-undisturbed +disturbed):\n%s", diff)
	}
	w.usable()
}

// usable demands that the state names live objects only, and that every file a
// declared key is delivered to holds the one that is live.
func (w *world) usable() {
	w.Helper()
	st := w.stored()
	live, expired := map[any]any{}, map[any]bool{} // what expired is recorded while B2 lists it
	for _, b := range w.live("b2_list_buckets", "buckets") {
		live[b["bucketId"]] = b["bucketName"]
	}
	for _, k := range w.live("b2_list_keys", "keys") {
		live[k["applicationKeyId"]] = k["keyName"]
		end, ends := k["expirationTimestamp"].(float64)
		expired[k["applicationKeyId"]] = ends && int64(end) <= w.Now().UnixMilli()
	}
	for _, b := range w.live("b2_list_buckets", "buckets") {
		for _, f := range w.by("b2_list_file_names", `{"bucketId":%q}`, b["bucketId"])["files"].([]any) {
			name := f.(map[string]any)["fileName"]
			live[fmt.Sprintf("%s/%s", b["bucketId"], name)] = fmt.Sprintf("%s/%s", b["bucketName"], name)
		}
	}
	config, ids := w.load(), map[string]string{}
	for _, e := range st.Entries {
		ids[e.Addr.String()] = e.ID
		if live[e.ID] != e.Identity {
			w.Errorf("the state says %+v; that ID is %v", e, live[e.ID])
		}
		for _, old := range e.Retiring {
			if live[old.ID] == nil || !old.KeepUntil.After(w.Now()) && !expired[old.ID] {
				w.Errorf("the state says that %s is still to be deleted: %+v", e.Addr, old)
			}
		}
	}
	for _, r := range config.Resources {
		for _, d := range r.Deliveries {
			if e, ok := st.FindEntry(r.Addr); ok && e.Adopted.IsZero() {
				w.holds(filepath.Base(d.Path), ids[r.Addr.String()])
			}
		}
	}
}

// holds demands that a delivered file has the key with this ID, and that the key
// works.
func (w *world) holds(file, id string) {
	w.Helper()
	gotID, key := w.delivered(file)
	if gotID != id {
		w.Errorf("%s holds the key %q, the state %q", file, gotID, id)
	}
	if status, reply := w.authorize(4, gotID, key); status != 200 {
		w.Errorf("the key in %s does not authorize: %v", file, reply["code"])
	}
	if info, err := os.Stat(w.path(file)); err != nil || info.Mode().Perm() != 0o600 {
		w.Errorf("%s: mode %v, %v", file, info.Mode(), err)
	}
}

func (w *world) delivered(file string) (id, key string) {
	w.Helper()
	text, err := os.ReadFile(w.path(file))
	if err != nil {
		w.Fatalf("%v", err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		switch name, value, _ := strings.Cut(line, "="); name {
		case "B2_APPLICATION_KEY_ID":
			id = value
		case "B2_APPLICATION_KEY":
			key = value
		}
	}
	return id, key
}

// litter lists temporary files in the folder.
func (w *world) litter() string {
	w.Helper()
	found, err := filepath.Glob(w.path(".b2form*.tmp"))
	w.must(err)
	return fmt.Sprint(found)
}
