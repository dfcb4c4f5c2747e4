package words_test

import (
	"testing"

	"b2form/internal/words"
)

// A name at the beginning of a sentence stays as it is: whoever looks for App.env finds nothing.
func TestCapitalLeavesNames(t *testing.T) {
	for in, want := range map[string]string{
		"the file is gone.":         "The file is gone.",
		"stopped.":                  "Stopped.",
		"état du fichier":           "État du fichier",
		"b2form is running.":        "b2form is running.",
		"b2_create_key failed.":     "b2_create_key failed.",
		"photos.plan: it is empty.": "photos.plan: it is empty.",
		"photos: it is a folder.":   "photos: it is a folder.",
		"nowhere/x is gone.":        "nowhere/x is gone.",
		`folder\x is gone.`:         `folder\x is gone.`,
		"main.b2.hcl is no plan.":   "main.b2.hcl is no plan.",
		`bucket.logs["edge"]: gone`: `bucket.logs["edge"]: gone`,
		"":                          "",
	} {
		if got := words.CapitalizeUnlessName(in); got != want {
			t.Errorf("Capital(%q) is %q, not %q", in, got, want)
		}
	}
}
