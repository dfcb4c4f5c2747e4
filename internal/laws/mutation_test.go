package laws_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/emulator"
	"b2form/internal/emulator/conform"
	"b2form/internal/testrun"
)

var update = flag.Bool("update", false, "write docs/mutations.md instead of comparing it")

// A behaviour is something that B2 does and that simple imitations get wrong.
type behaviour struct {
	does string
	// unnoticed says why the product works where this is broken; "": it does not.
	unnoticed string
}

// behaviours are in the order of their numbers in emulator.Options.Broken.
func behaviours() []behaviour {
	return []behaviour{
		{does: "A new bucket has revision 2, and each change counts it up."},
		{does: "`null` in `b2_update_bucket` leaves a setting alone."},
		{does: "`[]` and `{}` in `b2_update_bucket` clear a setting."},
		{does: "A stale `ifRevisionIs` is 409 `conflict`."},
		{does: "Every new bucket encrypts with SSE-B2 unasked."},
		{
			does: "What is unset is a null inside its wrapper, never left out.",
			unnoticed: "The reader takes a member that is left out, a null and a wrapped null for the same, as older versions of the " +
				"API differ in it.",
		},
		{does: "`isClientAuthorizedToRead` hides what the caller may not read."},
		{does: "Retention needs Object Lock, creating takes none, and nothing turns the lock off."},
		{does: "A bucket with a hide marker or an unfinished large file is not deleted."},
		{
			does:      "What does not exist is 400, not 404.",
			unnoticed: "Either means that what is to be removed is gone already, which counts as removed; some calls answer 404.",
		},
		{does: "A filter that fits nothing lists nothing; limited keys must filter."},
		{does: "Bucket names have up to 63 characters and are unique whatever their case."},
		{does: "A lifecycle rule has at least one number of days, from 1."},
		{does: "Lifecycle rules run daily and count from when a version was superseded."},
		{
			does:      "Replies have info keys in lower case, operations sorted, and no number of days that was not sent.",
			unnoticed: "Declared and live settings are folded, and lists without an order sorted, before they are compared.",
		},
		{does: "Versions of `b2_authorize_account` differ in shape."},
		{does: "A key for several buckets authorizes through version 4 only."},
		{does: "A token of one version works with all."},
		{does: "Keys differ in shape between versions, and versions 1 to 3 list none for several buckets."},
		{
			does:      "An expired key is not listed.",
			unnoticed: "A key whose time has come counts as gone, whether or not it is listed still.",
		},
		{does: "A full page of keys that is the last one names no next key."},
		{does: "`writeKeys` makes keys that may do more than the caller."},
		{does: "401 `expired_auth_token` and `bad_auth_token` ask for a new token, `unauthorized` does not."},
		{does: "JSON is indented and sorted, every reply has a `Date`, and GET works like POST."},
		{does: "Some settings have a capability of their own; without it the whole update is 401."},
	}
}

// A verdict is a judge that collects what is said.
type verdict struct {
	mu   sync.Mutex
	said []string
}

func (*verdict) Helper() {}

func (v *verdict) Errorf(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.said = append(v.said, fmt.Sprintf(format, args...))
}

func (v *verdict) Fatalf(format string, args ...any) {
	v.Errorf(format, args...)
	runtime.Goexit()
}

// fails reports whether the scenario fails where a behaviour is broken.
func (s scenario) fails(broken int) bool {
	o := s.options
	o.BrokenBehaviours = []int{broken}
	v := &verdict{}
	done := make(chan struct{})
	go func() { // Fatalf ends it
		defer close(done)
		w := newWorld(v, o)
		defer w.close()
		s.run(w)
	}()
	<-done
	return len(v.said) > 0
}

// What the emulator does right matters: each behaviour that is broken on purpose
// makes a scenario of the product fail, or else the page of mutations says why
// not and none fails. The conformance suite demands the same of its cases.
func TestMutations(t *testing.T) {
	all, broken := scenarios(), behaviours()
	numbers := make([]int, len(broken))
	for i := range numbers {
		numbers[i] = i
	}
	for _, i := range testrun.SampleUnlessExhaustive(t, 3, 1, numbers) {
		b := broken[i]
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			t.Parallel()
			guards := 0
			for _, s := range all {
				guarded := slices.Contains(s.guards, i+1)
				if guarded || b.unnoticed != "" && !s.crowded {
					if failed := s.fails(i + 1); failed != guarded {
						t.Errorf("with behaviour %d broken, %q fails: %v, want %v", i+1, s.name, failed, guarded)
					}
					if guarded {
						guards++
					}
				}
			}
			if (guards == 0) == (b.unnoticed == "") {
				t.Errorf("behaviour %d has %d scenarios, and this to say why none can notice it: %q", i+1, guards, b.unnoticed)
			}
		})
	}
	if o := (emulator.Options{Now: (&clock{}).Now, BrokenBehaviours: []int{len(broken) + 1}}); opens(o) {
		t.Errorf("the emulator knows more behaviours than these %d", len(broken))
	}
}

func opens(o emulator.Options) bool {
	s, err := emulator.Open(o)
	return err == nil && s.Close() == nil
}

const mutationsHead = `# What the emulator's faithfulness is good for

Each of these behaviours of B2 can be broken in the emulator by its number (` + "`emulator.Options.Broken`" + `). The
table says what fails then: the scenarios of ` + "`internal/laws`" + ` that run the product against it, and the cases of
` + "`internal/emulator/conform`" + ` that are there to guard it. The tests of both break each behaviour and demand that
all of these fail. Where no scenario can, the table says why; the tests demand that none does.
` + "`go test ./internal/laws -run TestMutationsPage -update`" + ` writes the page.

| | B2 | what fails in b2form without it | what fails in the conformance suite |
|---|---|---|---|
`

// The page of mutations is what the scenarios and the conformance suite say.
func TestMutationsPage(t *testing.T) {
	cases, err := conform.Load(os.DirFS("../emulator/conform/cases"))
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	page.WriteString(mutationsHead)
	for i, b := range behaviours() {
		var product, suite []string
		for _, s := range scenarios() {
			if slices.Contains(s.guards, i+1) {
				product = append(product, s.name)
			}
		}
		if b.unnoticed != "" {
			product = []string{"nothing: " + b.unnoticed}
		}
		for _, c := range cases {
			if slices.Contains(c.Behaviours, i+1) {
				suite = append(suite, c.Name)
			}
		}
		if len(suite) == 0 {
			t.Errorf("no case of the conformance suite guards behaviour %d", i+1)
		}
		fmt.Fprintf(&page, "| %d | %s | %s | %s |\n", i+1, b.does, strings.Join(product, "; "), strings.Join(suite, ", "))
	}
	const path = "../../docs/mutations.md"
	if *update {
		if err := os.WriteFile(path, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(stored), page.String()); diff != "" {
		t.Errorf("%s is stale; run `go test ./internal/laws -run TestMutationsPage -update` (-page +now):\n%s", path, diff)
	}
}
