package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"b2form/schema"
)

// writtenBlocks are n keys, each limited to one of ten buckets, as blocks of their own.
func writtenBlocks(n int) string {
	var src strings.Builder
	for i := range 10 {
		fmt.Fprintf(&src, "bucket \"data-%d\" {\n  name            = \"acme-data-%d\"\n  lifecycle_rules = keep_only_last_version()\n}\n",
			i, i)
	}
	for i := range n {
		fmt.Fprintf(&src, "\nkey \"app-%06d\" {\n  name        = \"app-%06d\"\n  access      = \"read_write\"\n  buckets     = "+
			"[bucket.data-%d]\n"+
			"  name_prefix = \"library/\"\n\n  deliver \"file\" {\n    path = \"app-%06d.env\"\n  }\n}\n", i, i, i%10, i)
	}
	return src.String()
}

// What a block costs does not grow with their number, and stays within what a plan of 100,000 may take: its
// tree, which alone has four kilobytes, is not kept.
func TestBlocksStaySmall(t *testing.T) {
	const few, many = 1000, 4000
	perBlock := func(n int) (made, kept uint64) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.b2.hcl"), []byte(writtenBlocks(n)), 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after, rest runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		config, diags := schema.Load(options(dir))
		runtime.ReadMemStats(&after)
		if diags.HasErrors() || len(config.Resources) != n+10 {
			t.Fatal(len(config.Resources), diags)
		}
		runtime.GC()
		runtime.ReadMemStats(&rest)
		runtime.KeepAlive(config)
		return (after.TotalAlloc - before.TotalAlloc) / uint64(n), (rest.HeapAlloc - min(before.HeapAlloc, rest.HeapAlloc)) / uint64(n)
	}
	perBlock(few) // what is made once
	madeFew, keptFew := perBlock(few)
	made, kept := perBlock(many)
	t.Logf("a block of %d makes %d bytes and keeps %d; one of %d makes %d and keeps %d", few, madeFew, keptFew, many, made, kept)
	if made > 20_000 || kept > 3_000 {
		t.Errorf("a block of %d makes %d bytes and keeps %d", many, made, kept)
	}
	if made > madeFew*11/10 || kept > keptFew*11/10 {
		t.Errorf("a block of %d makes %d bytes and keeps %d, but one of %d only %d and %d", many, made, kept, few, madeFew, keptFew)
	}
}
