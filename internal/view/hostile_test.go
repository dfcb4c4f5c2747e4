package view_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/apply"
	"b2form/internal/audit"
	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// hostile are texts that would drive a terminal or a CI system.
func hostile() []string {
	return []string{
		"a\n::stop-commands::tok", "::error::x", " \u00a0::error::x", "a\r::error::x", "##[error]x", "a ##vso[task.complete]b",
		"##teamcity[x]", "\n##TeamCity[x]", "section_start:1:x\r\x1b[0K", "a\nsection_end:1:x",
		"\x1b]0;title\a", "\x1b[8m", "\u009b8m", "\x7f\x00\b", "\u202egnp.exe", "\u2066a\u2069", "a\u2028b\u2029c", "\ufeff\u200b",
		"\U000e0041",
		"\xff\xfe\xc3", "a\"b\\", "${a} %{ if x }", "\t", "--><script>", strings.Repeat("long", 500),
	}
}

var command = regexp.MustCompile(`(?im)^[\s\p{Z}]*(::|section_)|##(vso|teamcity)?\[`)

// harmless fails where the text does more than to be read.
func harmless(t *testing.T, from, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s is no UTF-8: %q", from, text)
	}
	for _, r := range text {
		if r != '\n' && r != '\t' && r != '\u200c' && r != '\u200d' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			t.Errorf("%s prints %U: %q", from, r, text)
			return
		}
	}
	if m := command.FindString(text); m != "" {
		t.Errorf("%s prints the command %q:\n%s", from, m, text)
	}
}

// filled puts s into every text of what v points to, except those that only b2form
// chooses.
func filled(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && v.Type() != reflect.TypeFor[*kind.Kind]() {
			filled(v.Elem(), s)
		}
	case reflect.Slice:
		for i := range v.Len() {
			filled(v.Index(i), s)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[addr.Addr]() {
			v.Set(reflect.ValueOf(hostileAddr(s)))
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				filled(v.Field(i), s)
			}
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() { // actions, rules and operations are types of their own
			v.SetString(s)
		}
	}
}

func hostileAddr(s string) addr.Addr {
	return addr.Addr{Module: "module.m" + addr.ForEachKey(s).String(), Kind: "bucket", Label: "b", Instance: addr.ForEachKey(s)}
}

// hostilePlans are all plans of the tests with the text wherever one can be.
func hostilePlans(s string) []*plan.Plan {
	var out []*plan.Plan
	for _, p := range plans() {
		fields := make([][]string, len(p.Changes))
		for i := range p.Changes {
			fields[i] = p.Changes[i].Fields
			p.Changes[i].Fields = nil // names of attributes
			p.Changes[i].FurtherDeletes = []plan.NamedObject{{}}
			p.Changes[i].Overlapping = []plan.NamedObject{{}}
			p.Changes[i].DeliverTo = []string{""}
			p.Changes[i].Hazards = append(p.Changes[i].Hazards, kind.Hazard{Kind: kind.HazardKinds()[0], Detail: s})
			p.Changes[i].Retiring = []addr.RetiringObject{{}}
		}
		p.RotatingObjects = []plan.RotatingObject{{Retiring: []addr.RetiringObject{{ID: s, KeptUntilRenewal: true}}}}
		filled(reflect.ValueOf(p), s)
		for i := range p.Changes {
			p.Changes[i].Fields = fields[i]
			p.Changes[i].Before, p.Changes[i].After = hostileValue(p.Changes[i].Before, s), hostileValue(p.Changes[i].After, s)
		}
		out = append(out, p)
	}
	return out
}

// hostileValue puts the text into every text of a value.
func hostileValue(v cty.Value, s string) cty.Value {
	if v == cty.NilVal {
		return v
	}
	out, err := cty.Transform(v, func(_ cty.Path, e cty.Value) (cty.Value, error) {
		if e.Type() == cty.String && e.IsKnown() && !e.IsNull() {
			return cty.StringVal(s), nil
		}
		return e, nil
	})
	if err != nil {
		return v // a set in which all became alike
	}
	return out
}

func hostileDiagnostics(s string) (hcl.Diagnostics, map[string]*hcl.File) {
	src := []byte("bucket \"x\" {\n  name = \"" + s + "\" # " + s + "\n}\n")
	file, _ := hclsyntax.ParseConfig(src, s, hcl.InitialPos)
	at := &hcl.Range{Filename: s, Start: hcl.Pos{Line: 2, Column: 3, Byte: 15}, End: hcl.Pos{Line: 2, Column: 7, Byte: len(src) - 5}}
	unknown := &hcl.Range{Filename: s + "2", Start: hcl.InitialPos, End: hcl.InitialPos}
	diags := hcl.Diagnostics{{Severity: hcl.DiagError, Summary: s, Detail: s + "\n" + s, Subject: at, Extra: hostileAddr(s)}}
	for range 12 {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: s, Detail: s, Subject: unknown})
	}
	return diags, map[string]*hcl.File{s: file}
}

func hostileResult(s string) *apply.Result {
	return &apply.Result{Skipped: []addr.Addr{hostileAddr(s)}}
}

type everyFace interface {
	face
	Hint(string)
	Diagnostics(hcl.Diagnostics, map[string]*hcl.File)
	Rotations(*plan.Plan, time.Time)
}

// tellHostile drives every method of a face.
func tellHostile(f everyFace, s string) {
	f.Note(s)
	f.Hint(s)
	f.Diagnostics(hostileDiagnostics(s))
	for _, p := range hostilePlans(s) {
		f.Plan(p, view.Planning)
		f.Rotations(p, time.Unix(0, 0))
	}
	for _, stage := range []apply.EventStage{apply.Started, apply.Emptying, apply.Delivered, apply.KeyNotYetAccepted, apply.VerifyEnded,
		apply.Done,
		apply.Failed} {
		for _, action := range []plan.Action{plan.Create, plan.Update} {
			e := apply.Event{Addr: hostileAddr(s), Kind: kindNamed("bucket"), Action: action, Stage: stage, RemoteID: s, Destination: s}
			f.Event(e)
			f.Still(e)
		}
	}
	f.Done(hostileResult(s), view.Planning)
	f.Deliveries([]view.NewKey{{Addr: hostileAddr(s), KeyID: s, DeliveredTo: []string{s}}})
	f.Outputs(hostileOutputs(s), true)
}

func hostileOutputs(s string) []view.Output {
	return []view.Output{
		{Name: s,
			Value: cty.ObjectVal(map[string]cty.Value{s: cty.StringVal(s), "a": cty.MapVal(map[string]cty.Value{s: cty.StringVal(s)})})},
		{Name: "gone", Value: cty.UnknownVal(cty.String), MissingText: func(cty.Value) string { return s }},
	}
}

func hostileAudit(s string) *audit.Report {
	k := kindNamed("key")
	v := hostileValue(live(k, liveKey), s)
	found := []kind.Finding{{Rule: "duplicate-name", Detail: s}}
	return &audit.Report{OwnCredentialFindings: found, Credentials: []audit.Credential{
		{Kind: k, LiveValue: v, Name: s, ID: s, Findings: found},
		{Kind: k, LiveValue: v, Name: s, ID: s, StateAddr: hostileAddr(s), InState: true},
	}}
}

// facesAreHarmless shows one text everywhere.
func facesAreHarmless(t *testing.T, s string) {
	t.Helper()
	var out, errs bytes.Buffer
	text := view.TextUI{Out: &out, Err: &errs, ShowHints: true}
	tellHostile(text, s)
	text.Audit(hostileAudit(s))
	k := kindNamed("key")
	text.RecordedObjects([]view.RecordedObject{
		{Addr: hostileAddr(s), Kind: k, ID: s, LiveValue: hostileValue(live(k, liveKey), s),
			Retiring: []addr.RetiringObject{{ID: s, Name: s}}},
		{Addr: hostileAddr(s), Kind: k, ID: s, LiveValue: cty.NullVal(k.LiveType())},
	})
	brief := text
	brief.CompactWarnings = true
	brief.Diagnostics(hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: s, Detail: s, Subject: &hcl.Range{Filename: s}}}, nil)
	harmless(t, "the results as text", out.String())
	harmless(t, "the progress as text", errs.String())

	out.Reset()
	tellHostile(view.JSONUI{Out: &out, Now: func() time.Time { return time.Unix(0, 0) }}, s)
	harmless(t, "the JSON stream", out.String())
	for line := range strings.Lines(out.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		harmless(t, "a message of the JSON stream", m["@message"].(string))
	}

	graph := view.ResourceGraph(&config.Config{Resources: []*config.Resource{{Addr: hostileAddr(s)}}})
	harmless(t, "the graph for Graphviz", graph.DOT())
	harmless(t, "the graph for Mermaid", graph.Mermaid())
	for _, p := range hostilePlans(s) {
		harmless(t, "the graph of steps", view.StepGraph(p).DOT()+view.StepGraph(p).Mermaid())
	}
	harmless(t, "an address", hostileAddr(s).String())
}

// FuzzFaces holds what people and programs are shown: its seeds are a corpus for go test.
func FuzzFaces(f *testing.F) {
	for _, s := range hostile() {
		f.Add(s)
	}
	f.Fuzz(facesAreHarmless)
}

func TestEndlessNumber(t *testing.T) {
	huge := cty.NumberVal(new(big.Float).SetMantExp(big.NewFloat(1), 1_000_000_000))
	for _, o := range []view.Output{{Name: "n", Value: huge},
		{Name: "n", Value: cty.NumberVal(new(big.Float).SetMantExp(big.NewFloat(1), -1_000_000_000))}} {
		if text := o.Text(true); len(text) > 100 {
			t.Errorf("the number is written with %d characters", len(text))
		}
		if _, err := o.JSON(); err == nil || !strings.Contains(err.Error(), "more than 1000 digits") {
			t.Errorf("as JSON the number gives %v", err)
		}
		if text, err := o.Raw(); err == nil && len(text) > 100 {
			t.Errorf("raw the number is written with %d characters", len(text))
		}
	}
	const long = "123456789012345678901234567890.125"
	if text := view.FormatHCLHidingSensitive(cty.MustParseNumberVal(long)); text != long {
		t.Errorf("a number that people write became %s", text)
	}
}
