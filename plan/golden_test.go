package plan_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"golang.org/x/tools/txtar"

	"b2form/plan"
	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

var update = flag.Bool("update", false, "rewrite plan.txt in testdata")

// TestGolden plans every testdata/*.txtar. A case holds
//
//	*.b2.hcl      the configuration
//	account.json  {"account": {...}, "buckets": [...], "keys": [...]}: what B2
//	              answers; a list that is left out was not read
//	state.json    {"entries": [...], "announced": [...]}; may be left out
//	request       lines "destroy", "replace ADDRESS", "rotate ADDRESS", "rotations",
//	              "foreign PATH" and "now TIME" (left out: noon), "here TIME"; may be left out
//	plan.txt      what must come of it
//
// Each case is also planned with everything in reverse: nothing may depend on
// the order of blocks, listings and entries.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 30 {
		t.Fatal("cases are missing", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := readCase(t, a)
			got, basis := c.dump(t, c.request(t))
			if *update {
				put(a, "plan.txt", got)
				if err := os.WriteFile(file, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(find(a, "plan.txt")), got); diff != "" {
				t.Errorf("plan.txt (-want +got); rewrite it with -update:\n%s", diff)
			}
			checkSaved(t, c.request(t))
			c.reverse()
			again, basisAgain := c.dump(t, c.request(t))
			if diff := cmp.Diff(got, again); diff != "" || basis != basisAgain {
				t.Errorf("the plan depends on the order of its input (%s, %s):\n%s", basis, basisAgain, diff)
			}
		})
	}
}

// A goldenCase is one case, read.
type goldenCase struct {
	dir     string
	kinds   []*kind.Kind
	config  *config.Config
	flags   string
	Account wire.Account
	Buckets *[]wire.RawJSON
	Keys    *[]wire.RawJSON
	Files   *[]wire.RawJSON // as the reader gives them
	Rules   *[]wire.RawJSON `json:"notification_rules"`
	State   struct {
		Entries   []addr.StateEntry
		Announced []plan.AnnouncedCreate
	}
}

func readCase(t *testing.T, a *txtar.Archive) *goldenCase {
	t.Helper()
	c := &goldenCase{dir: t.TempDir(), kinds: schema.Kinds(), flags: string(find(a, "request"))}
	c.Account = newWorld(t).account
	for _, f := range a.Files {
		if strings.HasSuffix(f.Name, ".b2.hcl") {
			if err := os.WriteFile(filepath.Join(c.dir, f.Name), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	decode(t, find(a, "account.json"), c)
	if state := find(a, "state.json"); len(state) > 0 {
		decode(t, state, &c.State)
	}
	var diags hcl.Diagnostics
	c.config, diags = schema.Load(schema.Options{Dir: c.dir, Kinds: c.kinds})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	c.fillDigests()
	return c
}

// fillDigests puts the digest of what a resource delivers where an entry says
// DIGEST.
func (c *goldenCase) fillDigests() {
	for _, r := range c.config.Resources {
		for i := range c.State.Entries {
			if e := &c.State.Entries[i]; e.Addr == r.Addr {
				e.DeliveryDigest = strings.ReplaceAll(e.DeliveryDigest, "DIGEST", plan.DeliveryDigest(r, nil))
			}
		}
	}
}

func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields() // the names are those of Go's fields, which change
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
}

func find(a *txtar.Archive, name string) []byte {
	for _, f := range a.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

func put(a *txtar.Archive, name, data string) {
	for i := range a.Files {
		if a.Files[i].Name == name {
			a.Files[i].Data = []byte(data)
			return
		}
	}
	a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(data)})
}

func (c *goldenCase) request(t *testing.T) plan.Request {
	t.Helper()
	raw := map[string][]wire.RawJSON{}
	if c.Buckets != nil {
		raw["bucket"] = *c.Buckets
	}
	if c.Keys != nil {
		raw["key"] = *c.Keys
	}
	if c.Files != nil {
		raw["file"] = *c.Files
	}
	if c.Rules != nil {
		raw["notification_rules"] = *c.Rules
	}
	s, err := kind.NewSnapshot(&c.Account, c.kinds, raw)
	if err != nil {
		t.Fatal(err)
	}
	r := plan.Request{Config: c.config, Kinds: c.kinds, Snapshot: s, Entries: c.State.Entries, Announced: c.State.Announced, Now: noon}
	defer func() { s.DropExpired(r.Now) }()
	for line := range strings.Lines(c.flags) {
		verb, addr, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "destroy":
			r.Destroy = true
		case "rotations":
			r.RotationsOnly = true
		case "replace":
			r.Replace = append(r.Replace, address(t, addr))
		case "rotate":
			r.Rotate = append(r.Rotate, address(t, addr))
		case "foreign":
			r.ForeignFiles = map[string]bool{filepath.Join(c.dir, addr): true}
		case "here":
			var err error
			if r.LocalClockTime, err = time.Parse(time.RFC3339, addr); err != nil {
				t.Fatal(err)
			}
		case "now":
			var err error
			if r.Now, err = time.Parse(time.RFC3339, addr); err != nil {
				t.Fatal(err)
			}
		}
	}
	return r
}

func address(t *testing.T, text string) addr.Addr {
	t.Helper()
	a, err := addr.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// reverse turns every list round.
func (c *goldenCase) reverse() {
	slices.Reverse(c.config.Resources)
	slices.Reverse(c.State.Entries)
	slices.Reverse(c.State.Announced)
	if c.Buckets != nil {
		slices.Reverse(*c.Buckets)
	}
	if c.Keys != nil {
		slices.Reverse(*c.Keys)
	}
}

// dump writes a plan, or why there is none, in full.
func (c *goldenCase) dump(t *testing.T, r plan.Request) (text, basis string) {
	t.Helper()
	var b strings.Builder
	p, diags := plan.Make(r)
	if p != nil && diags.HasErrors() {
		t.Error("a plan beside errors")
	}
	c.diagnostics(&b, diags)
	if p == nil {
		return b.String(), ""
	}
	for i := range p.Changes {
		change(&b, &p.Changes[i])
	}
	for i := range p.Steps {
		step(&b, p, i)
	}
	for _, m := range p.Moves {
		fmt.Fprintf(&b, "move: %s to %s\n", m.From, m.To)
	}
	for _, e := range p.Records {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "record: %s\n", line)
	}
	for _, r := range p.RotatingObjects {
		fmt.Fprintf(&b, "rotation: %s %s, made %s, due %s%s\n", r.Addr, r.LiveName, day(r.MadeAt), day(r.Due), retirees(r.Retiring))
		if r.UnscheduledReason != "" {
			fmt.Fprintf(&b, "    because: %s\n", r.UnscheduledReason)
		}
	}
	if len(p.LeftOut) > 0 {
		fmt.Fprintf(&b, "left out: %v\n", p.LeftOut)
	}
	for _, addr := range p.Undelivered {
		fmt.Fprintf(&b, "lost: %s\n", addr)
	}
	c.diagnostics(&b, p.Warnings)
	n := p.Counts()
	fmt.Fprintf(&b, "%d to import, %d to add, %d to change, %d to destroy, %d to forget\n", n.Import, n.Add, n.Change, n.Destroy, n.Forget)
	return b.String(), p.Basis
}

func (c *goldenCase) diagnostics(b *strings.Builder, diags hcl.Diagnostics) {
	for _, d := range diags {
		severity, place := "error", "-"
		if d.Severity == hcl.DiagWarning {
			severity = "warning"
		}
		if d.Subject != nil {
			place = fmt.Sprintf("%s:%d", filepath.Base(d.Subject.Filename), d.Subject.Start.Line)
		}
		fmt.Fprintf(b, "%s: %s: %s\n", severity, place, d.Summary)
		for line := range strings.Lines(d.Detail + "\n") {
			fmt.Fprintf(b, "    %s", line)
		}
	}
}

func change(b *strings.Builder, c *plan.Change) {
	fmt.Fprintf(b, "%s %s", c.Action, c.Addr)
	if c.Import {
		b.WriteString(" import")
	}
	if c.ForceDestroy {
		b.WriteString(" force")
	}
	fmt.Fprintf(b, " %q", c.Identity)
	if c.RemoteID != "" {
		fmt.Fprintf(b, " id %s", c.RemoteID)
	}
	b.WriteString("\n")
	line := func(what, text string) {
		if text != "" {
			fmt.Fprintf(b, "    %s: %s\n", what, text)
		}
	}
	if c.MovedFrom != (addr.Addr{}) {
		line("moved from", c.MovedFrom.String())
	}
	line("because", c.Reason)
	for _, a := range c.Kind.SettableAttrs() {
		switch {
		case c.Action == plan.Create && !c.After.GetAttr(a.Name).IsNull():
			fmt.Fprintf(b, "    %s = %s\n", a.Name, show(c.After.GetAttr(a.Name)))
		case slices.Contains(c.Fields, a.Name):
			fmt.Fprintf(b, "    %s = %s -> %s\n", a.Name, show(c.Before.GetAttr(a.Name)), show(c.After.GetAttr(a.Name)))
		}
	}
	for _, h := range c.Hazards {
		line("hazard", string(h.Kind)+": "+h.Detail)
	}
	line("deliver", strings.Join(c.DeliverTo, ", "))
	line("family", nameds(c.ImportedSiblings))
	line("leftovers", nameds(c.FurtherDeletes))
	line("stays in B2", nameds(c.LeavesInB2()))
	line("retiring", strings.TrimPrefix(retirees(c.Retiring), ", "))
	if len(c.Overlapping) > 0 {
		line("overlap of "+c.Overlap.String(), nameds(c.Overlapping))
	}
}

func step(b *strings.Builder, p *plan.Plan, i int) {
	s := &p.Steps[i]
	fmt.Fprintf(b, "step %d: %s %s", i+1, s.Op, p.Changes[s.Change].Addr)
	if s.RemoteID != "" {
		fmt.Fprintf(b, " id %s", s.RemoteID)
	}
	if len(s.Fields) > 0 {
		fmt.Fprintf(b, " (%s)", strings.Join(s.FieldPaths(), ", "))
	}
	for j, n := range s.Needs {
		fmt.Fprintf(b, "%s %d", []string{", after", " and"}[min(j, 1)], n+1)
	}
	b.WriteString("\n")
}

func nameds(list []plan.NamedObject) string {
	out := make([]string, len(list))
	for i, o := range list {
		out[i] = o.ID + " " + o.Name
	}
	return strings.Join(out, ", ")
}

func retirees(list []addr.RetiringObject) string {
	var b strings.Builder
	for _, old := range list {
		end := day(old.KeepUntil)
		if old.KeptUntilRenewal {
			end = "renewal"
		}
		fmt.Fprintf(&b, ", %s %s until %s", old.ID, old.Name, end)
	}
	return b.String()
}

func day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format("2006-01-02 15:04:05")
}

func show(v cty.Value) string {
	if !v.IsWhollyKnown() {
		return "(hidden)"
	}
	text, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return err.Error()
	}
	return string(text)
}
