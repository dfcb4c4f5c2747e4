package emulator_test

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"b2form/internal/emulator"
)

const keepLastVersion = `{"bucketName":"my-bucket","bucketType":"allPrivate","lifecycleRules":[{"fileNamePrefix":"",` +
	`"daysFromHidingToDeleting":1}]}`

// One pass may delete more than one transaction takes, and what it deletes
// takes no room any more.
func TestPassOfManyNames(t *testing.T) {
	const names = 600 // of two versions each, and a transaction takes 1000
	for _, dir := range []string{"", t.TempDir()} {
		w := open(t, emulator.Options{Dir: dir})
		id := w.call(200, "b2_create_bucket", keepLastVersion)["bucketId"].(string)
		to := w.call(200, "b2_get_upload_url", `{"bucketId":%q}`, id)
		for n := range names {
			w.uploadTo(to, fmt.Sprintf("f%d", n), "old")
			w.uploadTo(to, fmt.Sprintf("f%d", n), "new")
		}
		w.server.Advance(48 * time.Hour)
		if left := len(w.dump().FileVersions); left != names {
			t.Errorf("%d versions are left, want %d", left, names)
		}
		if dir != "" {
			if contents := contents(t, dir); contents != names {
				t.Errorf("%d contents are left, want %d", contents, names)
			}
		}
	}
}

func contents(t *testing.T, dir string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "content", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// The midnights that passed while nobody had the folder open count too.
func TestPassesOfClosedFolder(t *testing.T) {
	dir := t.TempDir()
	first := open(t, emulator.Options{Dir: dir})
	id := first.call(200, "b2_create_bucket", keepLastVersion)["bucketId"].(string)
	first.upload(id, "f", "old")
	first.upload(id, "f", "new")
	if err := first.server.Close(); err != nil {
		t.Fatal(err)
	}
	later := func() time.Time { return noon.Add(48 * time.Hour) }
	second := open(t, emulator.Options{Dir: dir, Now: later})
	if files := second.dump().FileVersions; len(files) != 1 {
		t.Errorf("%d versions are left, want 1", len(files))
	}
}

// The account's clock goes on from where it was set, and back.
func TestClock(t *testing.T) {
	now := noon
	s, err := emulator.Open(emulator.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	want := func(at time.Time) {
		t.Helper()
		if got := s.Now(); !got.Equal(at) {
			t.Errorf("it is %s, want %s", got, at)
		}
	}
	s.StartClockAt(noon.AddDate(1, 0, 0))
	now = now.Add(time.Minute)
	want(noon.AddDate(1, 0, 0).Add(time.Minute))
	s.Advance(-time.Minute)
	want(noon.AddDate(1, 0, 0))
	s.StartClockAt(noon)
	if err := s.CatchUpLifecycle(); err != nil {
		t.Error(err)
	}
	want(noon)
}

// A pass over many versions, few of which go, lets other requests in between,
// whoever it was that began it.
func TestPassLetsOthersIn(t *testing.T) {
	const versions = 6_000
	for _, dir := range []string{"", t.TempDir()} {
		s, token := openBench(t, dir)
		id := populate(t, s, token, 1)
		for n := range versions { // unfinished, as those have no content to store
			serve(t, s, token, "b2_start_large_file",
				fmt.Sprintf(`{"bucketId":%q,"fileName":"before-%d","contentType":"image/jpeg"}`, id, n))
		}
		serve(t, s, token, "b2_update_bucket", fmt.Sprintf(
			`{"accountId":%q,"bucketId":%q,"lifecycleRules":[{"fileNamePrefix":"folder-999/","daysFromHidingToDeleting":1}]}`,
			s.AccountID(), id))
		s.Advance(12 * time.Hour) // past a midnight, and the token lives
		passed := make(chan error, 1)
		go func() { passed <- s.CatchUpLifecycle() }()
		var over atomic.Bool
		var answered atomic.Int64
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				for !over.Load() {
					r := httptest.NewRequest("POST", "/b2api/v3/b2_list_file_names", strings.NewReader(middle(id, versions, 1)))
					r.Header.Set("Authorization", token)
					w := httptest.NewRecorder()
					if s.ServeHTTP(w, r); w.Code != 200 {
						t.Errorf("status %d", w.Code)
					}
					if !over.Load() {
						answered.Add(1)
					}
				}
			})
		}
		if err := <-passed; err != nil {
			t.Error(err)
		}
		over.Store(true)
		both.Wait()
		if n := answered.Load(); n < 3 {
			t.Errorf("%d requests were answered while the rules were applied", n)
		}
	}
}
