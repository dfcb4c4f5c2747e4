package addr_test

import (
	"slices"
	"strings"
	"testing"

	"b2form/schema/addr"
)

func TestParseAddr(t *testing.T) {
	for _, s := range []string{
		`bucket.photos`,
		`key.app[0]`,
		`bucket.logs["edge"]`,
		`bucket.logs["a \"quoted\" $${not} \\ name"]`,
		`module.site.bucket.photos`,
		`module.site["eu"].module.inner[3].key.reader["x"]`,
	} {
		a, err := addr.Parse(s)
		if err != nil {
			t.Errorf("addr.ParseAddr(%s): %v", s, err)
		} else if a.String() != s {
			t.Errorf("addr.ParseAddr(%s) is written %s", s, a)
		}
	}
}

func TestParseAddrRefuses(t *testing.T) {
	for _, s := range []string{"", "bucket", "bucket.", "module.x", "bucket.a.b", "bucket.a[x]", `bucket.a["x"].name`, "1.2", "bucket.a[*]",
		"bucket.a[1.5]", "bucket.a[-1]"} {
		if a, err := addr.Parse(s); err == nil {
			t.Errorf("addr.ParseAddr(%q) = %v, want an error", s, a)
		} else if !strings.Contains(err.Error(), "bucket.photos") {
			t.Errorf("addr.ParseAddr(%q): the error shows no example: %v", s, err)
		}
	}
}

func TestAddrWithoutKeysAndEnclosingModules(t *testing.T) {
	for _, test := range []struct {
		addr, withoutKeys string
		modules           []string
	}{
		{`key.app["eu"]`, "key.app", []string{}},
		{`module.site["eu"].module.inner[3].key.reader["x"]`, "module.site.module.inner.key.reader",
			[]string{`module.site["eu"]`, `module.site["eu"].module.inner[3]`}},
		{`module.site["a.module.b"]`, "module.site", []string{`module.site["a.module.b"]`}},
	} {
		a, err := addr.ParseTarget(test.addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.WithoutKeys().String(); got != test.withoutKeys {
			t.Errorf("%s without keys is %s, want %s", a, got, test.withoutKeys)
		}
		if got := addr.Strings(a.EnclosingModules()); !slices.Equal(got, test.modules) {
			t.Errorf("%s is in %q, want %q", a, got, test.modules)
		}
	}
}

func TestAddrOrder(t *testing.T) {
	want := []addr.Addr{
		{Kind: "bucket", Label: "a"},
		{Kind: "bucket", Label: "b", Instance: addr.ForEachKey("10")},
		{Kind: "bucket", Label: "b", Instance: addr.ForEachKey("9")},
		{Kind: "bucket", Label: "b", Instance: addr.CountIndex(9)},
		{Kind: "bucket", Label: "b", Instance: addr.CountIndex(10)},
		{Kind: "key", Label: "a"},
		{Module: "module.m", Kind: "bucket", Label: "a"},
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, addr.Addr.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("sorted: %v", got)
	}
}

func FuzzParseAddr(f *testing.F) {
	for _, s := range []string{`bucket.photos`, `module.m["k"].key.a[1]`, `bucket.logs["${x}"]`, "bucket.a[1e9]", "bucket.a[-1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := addr.Parse(s)
		if err != nil {
			return
		}
		again, err := addr.Parse(a.String())
		if err != nil || again != a {
			t.Errorf("%q parses to %v, which parses to %v, %v", s, a, again, err)
		}
	})
}
