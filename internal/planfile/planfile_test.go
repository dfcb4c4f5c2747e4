package planfile_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/planfile"
	"b2form/internal/testrun"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// example is a plan of a small configuration on an empty account.
func example(t testing.TB) *planfile.File {
	t.Helper()
	dir := t.TempDir()
	text := "bucket \"photos\" {\n  name = \"acme-photos\"\n}\nkey \"app\" {\n  name = \"app\"\n  buckets = [bucket.photos]\n  access = " +
		"\"read_only\"\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.b2.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	kinds := schema.Kinds()
	config, diags := schema.Load(schema.Options{Dir: dir, Kinds: kinds})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	account := &wire.Account{ID: "d2e6b27577ea", Realm: "https://api.backblazeb2.com", Capabilities: []string{"all"}}
	snapshot, err := kind.NewSnapshot(account, kinds, map[string][]wire.RawJSON{"bucket": nil, "key": nil})
	if err != nil {
		t.Fatal(err)
	}
	made, diags := plan.Make(plan.Request{Config: config, Kinds: kinds, Snapshot: snapshot, FillSavedForm: true})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return &planfile.File{
		ProgramVersion: "1.2.3", CommandToApply: "apply", Target: []addr.Addr{{Kind: "bucket", Label: "photos"}},
		Exclude: []addr.Addr{{Module: "module.m"}},
		Replace: []addr.Addr{{Kind: "key", Label: "app"}}, State: "b2://acme-states/prod/",
		ConfigDigest: "c0ffee", SensitiveVariableNames: []string{"token"},
		SensitiveHash: "5a17",
		NonsensitiveVariables: map[string]cty.Value{"site": cty.StringVal("<acme>"), "n": cty.NumberIntVal(3),
			"none": cty.NullVal(cty.DynamicPseudoType),
			"list": cty.ListVal([]cty.Value{cty.True})},
		Salt:                          strings.Repeat("0f", plan.SaltBytes),
		DestroyedContentsDescriptions: []planfile.DestroyedContents{{Addr: addr.Addr{Kind: "bucket", Label: "photos"}, Text: "3 files"}},
		PlanContextJSON:               []byte(`{"checks":[]}`), Plan: made,
	}
}

func TestWrittenIsRead(t *testing.T) {
	f, path := example(t), filepath.Join(t.TempDir(), "photos.plan")
	for range 2 { // the second time there is one already
		if err := planfile.Write(path, f); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has the mode %v, %v", info.Mode(), err)
	}
	got, err := planfile.Read(path, schema.Kinds())
	if err != nil {
		t.Fatal(err)
	}
	same := cmp.Options{cmp.Comparer(func(a, b cty.Value) bool { return a.RawEquals(b) }), cmpopts.IgnoreFields(planfile.File{}, "Plan"),
		cmp.Comparer(func(a, b addr.Addr) bool { return a == b })}
	if diff := cmp.Diff(f, got, same); diff != "" {
		t.Errorf("-written +read:\n%s", diff)
	}
	if got.Plan.Basis != f.Plan.Basis || len(got.Plan.Changes) != 2 {
		t.Errorf("the plan that was read is another one: %+v", got.Plan)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("something was left beside the file: %v, %v", entries, err)
	}
}

// No byte of a saved plan can change, and no end be missing, without being noticed.
func TestEveryDamageIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "photos.plan")
	if err := planfile.Write(path, example(t)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, i int, text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := planfile.Read(path, schema.Kinds())
		if said := (*wire.ExplainedError)(nil); !errors.As(err, &said) || said.Detail == "" {
			t.Errorf("%s at byte %d of %d: %v", what, i, len(whole), err)
		}
	}
	positions := make([]int, len(whole))
	for i := range positions {
		positions[i] = i
	}
	for _, i := range testrun.SampleUnlessExhaustive(t, 40, 7, positions) {
		try("cut", i, whole[:i])
		changed := append([]byte{}, whole...)
		changed[i] ^= 1
		try("changed", i, changed)
	}
	try("more behind it", len(whole), append(append([]byte{}, whole...), '\n'))
	try("line ends converted", len(whole), []byte(strings.ReplaceAll(string(whole), "\n", "\r\n")))
}

// A file that somebody made, checksum and all, is refused in words, too.
func TestForgedIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "photos.plan")
	if err := planfile.Write(path, example(t)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(whole), `,"sha256":"`)
	for _, edit := range [][2]string{
		{`"salt":"0f0f`, `"salt":"zz0f`},
		{`"salt":"0f0f`, `"salt":"0f`},
		{`"variables":{`, `"variables":[1],"was":{`},
		{`"variables":{`, `"variables":{"x":1,`},
		{`"variables":{`, `"variables":{"x":{"type":"zz","value":1},`},
		{`"command":"apply"`, `"command":7`},
		{`"replace":["key.app"]`, `"replace":["\u001b[1m"]`},
		{`"target":["bucket.photos"]`, `"target":["\u001b[1m"]`},
		{`"name":"acme-photos"`, `"name":["acme-photos"]`},
		{`"before":null`, `"before":[1]`},
		{`"action":"create"`, `"action":"create","overlap":"soon"`},
		{`"action":"create"`, `"action":"create","moved_from":"\u001b[1m"`},
		{`"plan":{`, `"plan":{"outputs":[{"name":"x","action":"create","after":{"value":{}}}],`},
		{`"plan":{`, `"plan":{"outputs":[{"name":"x","action":"create","after":{"value":[}}}],`},
	} {
		if strings.Count(text, edit[0]) == 0 {
			t.Fatalf("there is no %s in %s", edit[0], text)
		}
		forged := strings.Replace(text, edit[0], edit[1], 1)
		forged = fmt.Sprintf("%s,\"sha256\":\"%x\"}\n", forged, sha256.Sum256([]byte(forged)))
		if err := os.WriteFile(path, []byte(forged), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := planfile.Read(path, schema.Kinds())
		said := (*wire.ExplainedError)(nil)
		if !errors.As(err, &said) {
			t.Errorf("%s: %v", edit[1], err)
			continue
		}
		for _, word := range []string{"json", "hex", "unmarshal", "cty", "time:", "invalid", "Go ", "\x1b", "character"} {
			if strings.Contains(said.Detail, word) {
				t.Errorf("%s: %s", edit[1], said.Detail)
			}
		}
	}
}

// What an older b2form saved is read, and a newer format refused by name.
func TestFormats(t *testing.T) {
	f, path := example(t), filepath.Join(t.TempDir(), "photos.plan")
	if err := planfile.Write(path, f); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(whole), `,"sha256":"`)
	as := func(format string) (*planfile.File, error) {
		other := strings.Replace(strings.Replace(text, `{"b2form_plan":6,`, `{"b2form_plan":`+format+`,`, 1), `,"context":{"checks":[]}`,
			"", 1)
		other = fmt.Sprintf("%s,\"sha256\":\"%x\"}\n", other, sha256.Sum256([]byte(other)))
		if err := os.WriteFile(path, []byte(other), 0o600); err != nil {
			t.Fatal(err)
		}
		return planfile.Read(path, schema.Kinds())
	}
	for _, older := range []string{"1", "2", "3", "4", "5"} {
		if got, err := as(older); err != nil || got.PlanContextJSON != nil || got.Plan.Basis != f.Plan.Basis {
			t.Errorf("%s: %+v, %v", older, got, err)
		}
	}
	for format, want := range map[string]string{"7": "has format version 7 and was saved by b2form 1.2.3", "0": "lacks", "-1": "lacks"} {
		said := (*wire.ExplainedError)(nil)
		if _, err := as(format); !errors.As(err, &said) || !strings.Contains(said.Detail, want) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// Nothing but a saved plan is written over.
func TestOtherFilesAreLeft(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "main.b2.hcl")
	for _, text := range []string{"x", "bucket \"photos\" { name = \"acme-photos\" }\n"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(planfile.CheckWritable(path), planfile.Write(path, example(t))); err == nil {
			t.Error("another file was written over")
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil { // as mktemp makes it
		t.Fatal(err)
	}
	if err := planfile.Write(path, example(t)); err != nil {
		t.Error(err)
	}
	if err := planfile.CheckWritable(filepath.Join(dir, "nowhere", "x")); err == nil {
		t.Error("a folder that is not there counts as good")
	}
}

// Whatever a file holds is read or refused.
func FuzzRead(f *testing.F) {
	path := filepath.Join(f.TempDir(), "photos.plan")
	if err := planfile.Write(path, example(f)); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(`{"b2form_plan":1,"sha256":""}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "fuzzed.plan")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := planfile.Read(path, schema.Kinds()); err == nil {
			f.AddContentsDescriptions()
		}
	})
}
