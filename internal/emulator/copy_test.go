package emulator

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A source of more than five billion bytes is refused with its size, by which
// clients know; a part of it is not. The file is planted, since nobody uploads
// that much here.
func TestCopySourceTooBig(t *testing.T) {
	s, err := Open(Options{Now: nowZero})
	if err != nil {
		t.Fatal(err)
	}
	var id string
	err = s.store.update(func(t tx) error {
		c := &call{server: s, tx: t, now: nowZero()}
		b := bucket{ID: s.account.bucketID(1), Type: "allPrivate"}
		save(t, "b"+b.ID, b)
		f := c.newFile(b.ID, "huge", uploaded)
		f.Length = maxCopy + 1
		c.addFile(f)
		id = f.ID
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	copied := func(members string) (reply map[string]any) {
		r := httptest.NewRequest("POST", "/b2api/v4/b2_copy_file",
			strings.NewReader(`{"sourceFileId":"`+id+`","fileName":"copy"`+members+`}`))
		r.Header.Set("Authorization", s.token(s.MasterKeyID(), accountTokenPurpose, 4, nowZero()))
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil {
			t.Fatal(err)
		}
		return reply
	}
	want := map[string]any{"status": 400.0, "code": "source_too_large", "message": "Copy source too big: 5000000001"}
	if d := cmp.Diff(want, copied("")); d != "" {
		t.Errorf("the whole (-want +got):\n%s", d)
	}
	if got := copied(`,"range":"bytes=0-4999999999"`)["code"]; got == "source_too_large" {
		t.Error("a part is too big as well")
	}
}
