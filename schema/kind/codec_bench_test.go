package kind_test

import (
	"fmt"
	"testing"

	"b2form/schema/key"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

func rawKeys(n int) []wire.RawJSON {
	out := make([]wire.RawJSON, n)
	for i := range out {
		out[i] = wire.RawJSON(fmt.Sprintf(`{
  "accountId": "d2e6b27577ea",
  "applicationKeyId": "002d2e6b27577ea%010x",
  "bucketId": "8d625eb63be2775577c70e1a",
  "capabilities": ["listBuckets", "listFiles", "readFiles", "shareFiles", "writeFiles"],
  "expirationTimestamp": null,
  "keyName": "app-%d",
  "namePrefix": "users/%d/",
  "options": ["s3"]
}`, i, i, i))
	}
	return out
}

// BenchmarkSnapshot reads and decodes live keys, as a plan does.
func BenchmarkSnapshot(b *testing.B) {
	kinds := []*kind.Kind{key.Kind()}
	raw := map[string][]wire.RawJSON{"key": rawKeys(1000)}
	account := &wire.Account{ID: "d2e6b27577ea"}
	b.ReportAllocs()
	for b.Loop() {
		s, err := kind.NewSnapshot(account, kinds, raw)
		if err != nil {
			b.Fatal(err)
		}
		for _, o := range s.AllRead(kinds[0]) {
			if _, err := o.Value(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
