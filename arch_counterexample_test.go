package b2form_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestCounterexamples proves that each rule finds what breaks it and nothing else.
// An archive is a package, whose path its comment says. A line that breaks the rule
// ends in what must be found there: // want: TEXT.
func TestCounterexamples(t *testing.T) {
	load := newLoader(t)
	for _, c := range slices.Concat(variableExamples(), systemExamples(), commentExamples(), sizeExamples(), kindNameExamples(),
		retiredExamples(),
		exportExamples()) {
		t.Run(c.name, func(t *testing.T) {
			archive := txtar.Parse([]byte(c.archive))
			s := &source{name: strings.TrimSpace(string(archive.Comment))}
			var want []string
			for _, f := range archive.Files {
				at := path.Join(s.name, f.Name)
				files := &s.files
				if strings.HasSuffix(f.Name, "_test.go") {
					files = &s.tests
				}
				*files = append(*files, load.parse(t, at, string(f.Data)))
				line := 0
				for text := range strings.Lines(string(f.Data)) {
					line++
					if _, what, ok := strings.Cut(text, "// want: "); ok {
						want = append(want, fmt.Sprintf("%s:%d: %s", at, line, strings.TrimSpace(what)))
					}
				}
			}
			var got []string
			for _, f := range c.check(load.check(t, s)) {
				got = append(got, fmt.Sprintf("%s:%d: %s", f.Filename, f.Line, f.text))
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("found\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
			}
		})
	}
}

type counterexample struct {
	name    string
	check   func(*source) []finding
	archive string
}

func variableExamples() []counterexample {
	return []counterexample{
		{"assignments", checkPackageVariables, assignedVariables},
		{"built-in functions", checkPackageVariables, builtInWrites},
		{"pointers", checkPackageVariables, writesByPointer},
		{"from another file, and names that hide", checkPackageVariables, otherFilesAndHidden},
	}
}

const assignedVariables = `plan
-- a.go --
package plan

import "time"

var (
	count int
	names []string
	ages  map[string]int
	first point
)

type point struct{ x int }

func change() {
	count = 1               // want: the package variable count is changed
	count++                 // want: the package variable count is changed
	count += 1              // want: the package variable count is changed
	(count) = 2             // want: the package variable count is changed
	ages["a"] = 1           // want: the package variable ages is changed
	ages["a"]++             // want: the package variable ages is changed
	names[0] = "a"          // want: the package variable names is changed
	names = append(names)   // want: the package variable names is changed
	first.x = 1             // want: the package variable first is changed
	_, count = 1, 2         // want: the package variable count is changed
	for count = range 3 {   // want: the package variable count is changed
	}
	for _, names[0] = range names { // want: the package variable names is changed
	}
	time.Local = time.UTC   // want: the package variable Local is changed
}
`

const builtInWrites = `plan
-- a.go --
package plan

var (
	names []string
	ages  map[string]int
)

func change() []string {
	delete(ages, "a")            // want: the package variable ages is changed
	clear(ages)                  // want: the package variable ages is changed
	clear(names)                 // want: the package variable names is changed
	copy(names, []string{"a"})   // want: the package variable names is changed
	copy(names[1:], names)       // want: the package variable names is changed
	return append(names[:0], "") // want: the package variable names is changed
}

func read() []string {
	defer func() { recover() }()
	clone := make([]string, len(names))
	copy(clone, names)
	return append(names, "a")
}
`

const writesByPointer = `plan
-- a.go --
package plan

import (
	"encoding/json"
	"regexp"
	"sync"
)

type point struct {
	x    int
	next *point
}

func (p *point) move() { p.x++ }
func (p point) size() int { return p.x }

var (
	here  point
	there = &point{}
	many  = []*point{{}}
	lock  sync.Mutex
	form  = regexp.MustCompile("a")
)

func change() {
	there.x = 1             // want: the package variable there is changed
	*there = point{}        // want: the package variable there is changed
	(*there).next.x = 1     // want: the package variable there is changed
	*(&here) = point{}      // want: the package variable here is changed
	p := &here
	p.x = 1                 // want: the package variable here is changed
	var q = there.next
	q.x++                   // want: the package variable there is changed
	for _, m := range many {
		m.x = 1             // want: the package variable many is changed
	}
	here.move()             // want: the package variable here is changed
	lock.Lock()             // want: the package variable lock is changed
	unlock := lock.Unlock   // want: the package variable lock is changed
	unlock()
	_ = json.Unmarshal(nil, &here) // want: the package variable here is changed
}

func read() (*point, int) {
	p := there
	p = &point{}
	list := []*point{&here}
	return list[0], here.size() + p.size() + len(form.FindString("a"))
}
`

const otherFilesAndHidden = `plan
-- a.go --
package plan

var count, total = 0, map[string]int{}

type counter struct{ count int }
-- b.go --
package plan

func change() {
	count = 1 // want: the package variable count is changed
	if count := 1; count > 0 {
		count = 2
		count++
	}
	count-- // want: the package variable count is changed
}

func other(total map[string]int) {
	total["a"] = 1
	count := count
	count++
	c := counter{}
	c.count = 1
	copied := total
	copied["a"] = 1
}

func hidden() {
	same := total
	same["a"] = 1 // want: the package variable total is changed
	same = nil
	count, err := 1, 2
	count, total := err, count
	_, _ = count, total
}
`

func systemExamples() []counterexample {
	return []counterexample{
		{"exit, environment and clock", checkSystem, `plan
-- a.go --
package plan

import (
	"log"
	sys "os"
	"time"
)

var started = time.Now() // want: time.Now is used; only cmd may

type clock struct{}

func (clock) Now() int { return 0 }

func run() {
	sys.Exit(1)          // want: os.Exit is used; only cmd may
	_ = sys.Args         // want: os.Args is used; only cmd may
	read := sys.Getenv   // want: os.Getenv is used; only cmd may
	log.Fatal(read("A")) // want: log.Fatal is used; only cmd may
	time := clock{}
	_ = time.Now()
}
-- b.go --
package plan

import . "time"

func wait() {
	Sleep(Second) // want: time.Sleep is used; only cmd may
}
`},
		{"clock in a command", checkSystem, "cmd/b2form\n-- a.go --\npackage main\n\nimport \"time\"\n\nvar started = time.Now()\n"},
		{"init", checkInit, `plan
-- a.go --
package plan

func init() {} // want: there is an init function

type t struct{}

func (t) init() {}
`},
	}
}

func commentExamples() []counterexample {
	return []counterexample{
		{"package comment", checkPackageComment, "plan\n-- a.go --\n// Package plan decides.\npackage plan\n-- b.go --\npackage plan\n"},
		{"no package comment", checkPackageComment, `plan
-- a.go --
package plan // want: the package plan has no comment that says what it is for
-- b.go --
// Package apply is another one.
package plan
`},
		{"comment of a command", checkPackageComment, "cmd/b2form\n-- a.go --\n// Command b2form provisions.\npackage main\n"},
		{"no comment of a command", checkPackageComment, `cmd/b2form
-- a.go --
// Package main provisions.
package main // want: the package main has no comment that says what it is for
`},
		{"comment of tests", checkPackageComment, `laws
-- a_test.go --
package laws_test // want: the package laws_test has no comment that says what it is for
`},
	}
}

func sizeExamples() []counterexample {
	long := strings.Repeat("\t_ = 1\n", maxFunction-2)
	return []counterexample{
		{"longest function", checkSizes, "plan\n-- a.go --\npackage plan\n\nfunc f() {\n" + long + "}\n"},
		{"too long a function", checkSizes, `plan
-- a.go --
package plan

func f() { // want: f has 81 lines; the limit is 80
	_ = 1
` + long + "}\n"},
		{"longest file", checkSizes, "plan\n-- a.go --\npackage plan\n" + strings.Repeat("\n", maxFile-1)},
		{"too long a file", checkSizes, `plan
-- a_test.go --
package plan // want: the file has 501 lines; the limit is 500
` + strings.Repeat("\n", maxFile)},
		{"longest line", checkColumns, "plan\n-- a.go --\npackage plan\n\n//" + strings.Repeat("ä", maxColumns-2) + "\n"},
		{"too long a line", checkColumns, `plan
-- a.go --
package plan

//` + strings.Repeat("a", 87) + ` // want: the line has 141 columns; the limit is 140

func f() {
	//` + strings.Repeat("a", 83) + ` // want: the line has 141 columns; the limit is 140
}
`},
	}
}

func kindNameExamples() []counterexample {
	return []counterexample{
		{"names of kinds", checkKindNames, `plan
-- a.go --
package plan

type object map[string]string

func (object) GetAttr(name string) string { return name }
func (object) Attr(name string) string    { return name }

type action string

const create, bucket action = "create", "bucket"

const files = "bucket"

func look(o object, name string, a action) {
	_ = name == "bucket"           // want: "bucket" names a kind or an attribute; ask the descriptor
	_ = "force_destroy" != name    // want: "force_destroy" names a kind or an attribute; ask the descriptor
	_ = name == files              // want: "bucket" names a kind or an attribute; ask the descriptor
	_ = o.GetAttr("name_prefix")   // want: "name_prefix" names a kind or an attribute; ask the descriptor
	_ = o.Attr("cors_rules")       // want: "cors_rules" names a kind or an attribute; ask the descriptor
	_ = o["days_from_hiding_to_deleting"] // want: "days_from_hiding_to_deleting" names a kind or an attribute; ask the descriptor
	switch name {
	case "create", "key":          // want: "key" names a kind or an attribute; ask the descriptor
	case "buckets":                // want: "buckets" names a kind or an attribute; ask the descriptor
	}
	_ = a == bucket || name == "bucket is full" || o["bucketId"] == "" || o.GetAttr(name) == "create"
	print("bucket")
}
`},
		{"names of kinds elsewhere", checkKindNames, `internal/view
-- a.go --
package view

func is(name string) bool { return name == "bucket" }
`},
	}
}

func retiredExamples() []counterexample {
	return []counterexample{
		{"retired names", checkRetired, `schema/kind
-- a.go --
package kind

type Addr struct{} // want: Addr is a retired name; it is addr.Addr now

type Attr struct {
	Keep     bool // want: Attr.Keep is a retired name; it is Attr.KeepLive now
	KeepLive bool
}

func (*Attr) Knots() {} // want: Attr.Knots is a retired name; it is Attr.IsDeferredLink now

func Stamped() { // want: Stamped is a retired name; it is TimestampedName now
	type Mention struct{}
}

type Keep struct{ Later bool }
`},
		{"retired names of types", checkRetired, `plan
-- a.go --
package plan

type holding struct{} // want: holding is a retired name; it is match now

type Addr struct{}
`},
	}
}

func exportExamples() []counterexample {
	many := ""
	for i := range maxKindExports - 6 {
		many += fmt.Sprintf("const C%d = 0\n", i)
	}
	fields := func(n int) string { return "struct {\n" + strings.Repeat("\t_ int\n", n) + "}\n" }
	return []counterexample{
		{"exports of kind", checkKindExports, `schema/kind
-- a.go --
package kind // want: 131 names are exported; the limit is 130

type Kind struct{}

type Attr struct{}

func (*Attr) A() {}
func (Kind) B() {}
func (Kind) c() {}

type hidden struct{}

func (hidden) D() {}

type I interface{ E(); f() }

var V int

` + many},
		{"sizes of descriptors", checkKindExports, `schema/kind
-- a.go --
package kind

type Kind ` + fields(maxKindFields) + `
type Attr ` + fields(maxAttrFields)},
		{"too many fields of a kind", checkKindExports, `schema/kind
-- a.go --
package kind // want: Kind has 25 fields; the limit is 24

type Kind ` + fields(maxKindFields+1) + `
type Attr ` + fields(0)},
		{"too many fields of an attribute", checkKindExports, `schema/kind
-- a.go --
package kind // want: Attr has 27 fields; the limit is 26

type Kind ` + fields(0) + `
type Attr ` + fields(maxAttrFields+1)},
	}
}
