package main

import (
	"os"
	"strings"
	"testing"
)

// README.md lists what init keeps out of git; only that the state may be committed is said there.
func TestReadmeListsWhatInitKeepsOutOfGit(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "# .gitignore\n")
	list, _, found := strings.Cut(list, "```")
	if missing := missingIgnorePatterns(gitignore, list); !found || len(missing) > 0 {
		t.Errorf("README.md lacks %q", missing)
	}
	for _, name := range []string{"*.b2vars.hcl", "*.b2vars.hcl.json"} {
		if !strings.Contains(gitignore, "\n"+name+"\n") {
			t.Errorf("init does not keep %s out of git", name)
		}
	}
}
