package main

import (
	"runtime/debug"
	"testing"
)

// What the go command records of a work tree is what the version tells.
func TestVersionTellsWhatItWasBuiltFrom(t *testing.T) {
	v := versionOf(&debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.time", Value: "2026-11-29T15:00:00Z"},
		{Key: "vcs.modified", Value: "true"},
	}})
	if v.Commit != "0123456789abcdef" || v.CommitDate != "2026-11-29T15:00:00Z" || !v.Modified || v.VersionForTerraformTools != v.Version ||
		v.GoVersion == "" {
		t.Errorf("got %+v", v)
	}
	if v := versionOf(nil); v.Commit != "" || v.CommitDate != "" || v.Modified || v.Version != version {
		t.Errorf("without a record: %+v", v)
	}
}
