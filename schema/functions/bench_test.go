package functions_test

import (
	"testing"

	"b2form/schema/folder"
	"b2form/schema/functions"
	"b2form/schema/parse"
)

// BenchmarkAll is what each load of a configuration pays for the functions, whether it calls them or not.
func BenchmarkAll(b *testing.B) {
	d := folder.Folder{Dir: ".", ModuleDir: "."}
	for b.Loop() {
		functions.All(d, parse.NewBudget(0))
	}
}
