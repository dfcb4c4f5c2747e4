package main

import (
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// comparePlan compares what a plan printed with a file, but for the digest: each account gives
// another one.
func comparePlan(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: cmpplan FILE")
	}
	shown, _, _ := digestOf(ts)
	if want := ts.ReadFile(args[0]); shown != want {
		ts.Fatalf("the plan is\n%s", shown)
	}
}

// setDigest keeps the digest that a plan printed in a variable of the script.
func setDigest(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: digest VARIABLE")
	}
	_, digest, found := digestOf(ts)
	if !found {
		ts.Fatalf("no digest was printed")
	}
	ts.Setenv(args[0], digest)
}

// digestOf parts what was printed last from the digest at its end.
func digestOf(ts *testscript.TestScript) (before, digest string, found bool) {
	before, digest, found = strings.Cut(ts.ReadFile("stdout"), "\nDigest: ")
	return before, regexp.MustCompile(`^\S+`).FindString(digest), found
}
