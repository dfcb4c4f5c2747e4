package kind_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/bucket"
	"b2form/schema/key"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// What was read before must not show in what is read now.
func TestReadingRemembersNothingWrong(t *testing.T) {
	account := &wire.Account{ID: "d2e6b27577ea", S3URL: "https://s3.us-west-004.backblazeb2.com"}
	b, k := bucket.Kind(), key.Kind()
	raw := map[string][]wire.RawJSON{
		"bucket": {
			`{"bucketId":"b1","bucketName":"acme-photos","bucketInfo":{"team":"web"},"lifecycleRules":[],"revision":2,
			  "fileLockConfiguration":{"isClientAuthorizedToRead":true,
			   "value":{"isFileLockEnabled":true,"defaultRetention":{"mode":null,"period":null}}}}`,
			`{"bucketId":"b2","bucketName":"acme-music","bucketInfo":{"team":"web"},"lifecycleRules":[],"revision":3,
			  "fileLockConfiguration":{"isClientAuthorizedToRead":false,"value":null}}`,
			`{"bucketId":"b3","bucketName":"acme-\u0066iles","bucketInfo":{"Team":"web"},"lifecycleRules":null}`,
		},
		"key": {
			`{"applicationKeyId":"k1","keyName":"one","capabilities":["readFiles","listFiles"],"bucketId":"b1","namePrefix":""}`,
			`{"applicationKeyId":"k2","keyName":"two","capabilities":["readFiles","listFiles"],"bucketIds":["b1"],"namePrefix":"a\"b/"}`,
			`{"applicationKeyId":"k3","keyName":"three","capabilities":["listFiles","readFiles"],"bucketId":"b9","namePrefix":"é/"}`,
			`{"applicationKeyId":"k4","keyName":"four","capabilities":[],"bucketId":null,"expirationTimestamp":1800000000000}`,
			`{"applicationKeyId":"k5","keyName":"five","bucketIds":null,"bucketId":"b1","keyName":"last"}`,
		},
	}
	s, err := kind.NewSnapshot(account, []*kind.Kind{b, k}, raw)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, k := range []*kind.Kind{b, k} {
			for _, o := range s.AllRead(k) {
				got, err := o.Value()
				if err != nil {
					t.Fatal(err)
				}
				alone, err := kind.NewSnapshot(account, []*kind.Kind{b}, map[string][]wire.RawJSON{b.Name: raw[b.Name]})
				if err != nil {
					t.Fatal(err)
				}
				fresh, err := alone.NewObject(k, o.Raw)
				if err != nil {
					t.Fatal(err)
				}
				want, err := fresh.Value()
				if err != nil || !got.RawEquals(want) {
					t.Errorf("%s is read as %#v, by itself as %#v, %v", o.ID, got, want, err)
				}
			}
		}
	}
	// A name that was not known before.
	o, err := s.NewObject(b, `{"bucketId":"b9","bucketName":"acme-new"}`)
	if err != nil {
		t.Fatal(err)
	}
	s.Add(o)
	v, err := s.ByID(k, "k3").Value()
	if want := cty.ListVal([]cty.Value{cty.StringVal("acme-new")}); err != nil || !v.GetAttr("buckets").RawEquals(want) {
		t.Errorf("the key's bucket is %#v, %v", v.GetAttr("buckets"), err)
	}
}

// What an instance of a block comes to does not depend on the ones before.
func TestCompleterRemembersNothingWrong(t *testing.T) {
	k := key.Kind()
	base := k.NewNullValues()
	c := k.NewCompleter()
	texts := func(ss ...string) cty.Value {
		var list []cty.Value
		for _, s := range ss {
			list = append(list, cty.StringVal(s))
		}
		return cty.ListVal(list)
	}
	for _, set := range []map[string]cty.Value{
		{"name": cty.StringVal("a"), "access": cty.StringVal("read_only")},
		{"name": cty.StringVal("b"), "list_all_bucket_names": cty.True},
		{"access": cty.NullVal(cty.String), "buckets": texts("Acme-Photos"), "capabilities": texts("writeKeys", "listFiles")},
		{"capabilities": texts("nonsense", "nonsense")},
		{"capabilities": cty.NullVal(cty.List(cty.String))},
		{"access": cty.StringVal("read_write"), "valid_duration": cty.StringVal("90d"), "name": cty.StringVal("not legal")},
		{"name": cty.StringVal("c"), "access": cty.StringVal("nobody")},
	} {
		for name, v := range set {
			base.Set(name, &v)
		}
		got, gotProblems := c.CompleteAndCheck(base, false)
		want, wantProblems := k.NewCompleter().CompleteAndCheck(base, false)
		if !got.ObjectWithoutUnset().RawEquals(want.ObjectWithoutUnset()) {
			t.Errorf("%v: %#v, by itself %#v", set, got.ObjectWithoutUnset(), want.ObjectWithoutUnset())
		}
		words := func(ps kind.Problems) (out []string) {
			for _, p := range ps {
				out = append(out, p.Summary+": "+p.Detail)
			}
			return out
		}
		if diff := cmp.Diff(words(wantProblems), words(gotProblems)); diff != "" {
			t.Errorf("%v (-by itself +after others):\n%s", set, diff)
		}
	}
}

// What B2 wrote is what is sent back to it.
func TestJSONMembersKeepNumbers(t *testing.T) {
	s, err := kind.NewSnapshot(&wire.Account{}, []*kind.Kind{bucket.Kind()}, map[string][]wire.RawJSON{
		"bucket": {`{"bucketId":"b1","bucketName":"acme-photos","revision":9007199254740993}`}})
	if err != nil {
		t.Fatal(err)
	}
	members, err := s.AllRead(bucket.Kind())[0].JSONMembers()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(members["revision"]); string(got) != "9007199254740993" || err != nil {
		t.Errorf("revision is read as %s, %v", got, err)
	}
}
