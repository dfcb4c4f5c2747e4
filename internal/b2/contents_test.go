package b2_test

import (
	"strings"
	"testing"
	"time"

	"b2form/internal/emulator"
	"b2form/schema/wire"
)

// What goes with a bucket, or with a file, is counted up to a number, in as few
// requests as that takes.
func TestCountVersions(t *testing.T) {
	a := open(t)
	a.upload(t, 1002)
	a.call(t, "b2_hide_file", object{"bucketId": a.bucket, "fileName": "file-0000"}, nil)
	a.call(t, "b2_start_large_file", object{"bucketId": a.bucket, "fileName": "big", "contentType": "text/plain"}, nil)
	for _, c := range []struct {
		name        string
		most, calls int
		want        wire.ContentsCount
	}{
		{"", 10_000, 2, wire.ContentsCount{Versions: 1004}},
		{"", 1004, 2, wire.ContentsCount{Versions: 1004}},
		{"", 1003, 2, wire.ContentsCount{Versions: 1003, More: true}},
		{"", 1000, 1, wire.ContentsCount{Versions: 1000, More: true}},
		{"file-0000", 10_000, 1, wire.ContentsCount{Versions: 2}},
		{"file-0000", 2, 1, wire.ContentsCount{Versions: 2}},
		{"file-0000", 1, 1, wire.ContentsCount{Versions: 1, More: true}},
		{"file", 10_000, 1, wire.ContentsCount{}},
	} {
		a.ResetCalls()
		got, err := wire.CountVersions(t.Context(), a.client, a.bucket, c.name, c.most, time.Now())
		got.Bytes = 0
		if err != nil || got != c.want || a.count("b2_list_file_versions") != c.calls {
			t.Errorf("%q up to %d: %+v after %d calls, %v; want %+v after %d", c.name, c.most, got, a.count("b2_list_file_versions"), err,
				c.want, c.calls)
		}
	}
	if got, err := wire.CountVersions(t.Context(), a.client, a.bucket, "file-0001", 10, time.Now()); err != nil || got.Bytes == 0 {
		t.Errorf("the bytes of a file: %+v, %v", got, err)
	}
	a.QueueFault(emulator.Fault{Method: "b2_list_file_versions", Status: 401, Code: "unauthorized", Message: "not with this key"})
	if got, err := wire.CountVersions(t.Context(), a.client, a.bucket, "", 10, time.Now()); err != nil ||
		got != (wire.ContentsCount{ListingDenied: true}) {
		t.Errorf("without listFiles: %+v, %v", got, err)
	}
	a.QueueFault(emulator.Fault{Method: "b2_list_file_versions", Status: 400, Code: "bad_request", Message: "no"})
	if _, err := wire.CountVersions(t.Context(), a.client, a.bucket, "", 10, time.Now()); err == nil {
		t.Error("another refusal is an error")
	}
}

// Versions that Object Lock protects are counted, those whose retention has ended are not.
func TestCountLockedVersions(t *testing.T) {
	a := open(t)
	a.call(t, "b2_update_bucket", object{"bucketId": a.bucket, "fileLockEnabled": true}, nil)
	a.upload(t, 4)
	var listed struct {
		Files []struct{ FileID, FileName string }
	}
	a.call(t, "b2_list_file_versions", object{"bucketId": a.bucket}, &listed)
	end := time.Now().Add(48 * time.Hour).Truncate(time.Second).UTC()
	retain := func(i int, until time.Time) {
		f := listed.Files[i]
		a.call(t, "b2_update_file_retention", object{"fileId": f.FileID, "fileName": f.FileName,
			"fileRetention": object{"mode": "governance", "retainUntilTimestamp": until.UnixMilli()}}, nil)
	}
	hold := func(i int) {
		f := listed.Files[i]
		a.call(t, "b2_update_file_legal_hold", object{"fileId": f.FileID, "fileName": f.FileName, "legalHold": "on"}, nil)
	}
	count := func(name string, now time.Time) wire.ContentsCount {
		t.Helper()
		got, err := wire.CountVersions(t.Context(), a.client, a.bucket, name, 10_000, now)
		if err != nil {
			t.Fatal(err)
		}
		got.Bytes = 0
		return got
	}
	if got := count("", time.Now()); got.LockedError() != nil {
		t.Errorf("no file is locked: %+v", got)
	}
	retain(0, end)
	retain(1, end.Add(-24*time.Hour))
	hold(1)
	hold(2)
	for _, c := range []struct {
		name string
		now  time.Time
		want wire.ContentsCount
		says string
	}{
		{"", time.Now(), wire.ContentsCount{Versions: 4, Locked: 3, Held: 2, RetainedUntil: end},
			"of 4 versions with 0 bytes; the last retention ends at " + end.Format("2006-01-02 15:04:05 UTC") +
				", versions under legal hold: 2. Run again once the retention has ended and the legal holds are lifted:"},
		{"", end, wire.ContentsCount{Versions: 4, Locked: 2, Held: 2},
			"; versions under legal hold: 2. Run again once the legal holds are lifted:"},
		{"file-0000", time.Now(), wire.ContentsCount{Versions: 1, Locked: 1, RetainedUntil: end},
			"Run again once the retention has ended:"},
		{"file-0003", time.Now(), wire.ContentsCount{Versions: 1}, ""},
	} {
		got := count(c.name, c.now)
		if got != c.want {
			t.Errorf("%q at %s: %+v, want %+v", c.name, c.now, got, c.want)
		}
		if why := got.LockedError(); (why == nil) != (c.says == "") || why != nil && !strings.Contains(why.Detail, c.says) {
			t.Errorf("%q at %s: %+v does not say %q", c.name, c.now, why, c.says)
		}
	}
	sum := count("file-0000", time.Now()).Plus(count("file-0001", time.Now()))
	if want := (wire.ContentsCount{Versions: 2, Locked: 2, Held: 1, RetainedUntil: end}); sum != want {
		t.Errorf("together: %+v, want %+v", sum, want)
	}
}

func TestContentsInWords(t *testing.T) {
	for want, c := range map[string]wire.ContentsCount{
		"there are none":                   {},
		"1 version with 1 byte":            {Versions: 1, Bytes: 1},
		"3 versions with 9999 bytes":       {Versions: 3, Bytes: 9999},
		"12 versions with 10.0 kB":         {Versions: 12, Bytes: 10_000},
		"10000 versions with 1.5 TB":       {Versions: 10_000, Bytes: 1_500_000_000_000},
		"2 versions with 9223.4 PB":        {Versions: 2, Bytes: 1<<63 - 1},
		"more than 10 000 versions":        {Versions: 10_000, Bytes: 5, More: true},
		"more than 1000 versions":          {Versions: 1000, Bytes: 5, More: true},
		"nobody knows how many, since the": {ListingDenied: true},
	} {
		if got := c.String(); !strings.HasPrefix(got, want) {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}
