package emulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"

	"b2form/internal/emulator"
)

// populate makes so many versions, ten of each name, and gives their bucket.
func populate(tb testing.TB, s *emulator.Server, token string, versions int) (bucketID string) {
	tb.Helper()
	made := serve(tb, s, token, "b2_create_bucket",
		fmt.Sprintf(`{"accountId":%q,"bucketName":"my-bucket","bucketType":"allPrivate"}`, s.AccountID()))
	bucketID = member(made, "bucketId")
	place := serve(tb, s, token, "b2_get_upload_url", fmt.Sprintf(`{"bucketId":%q}`, bucketID))
	_, path, _ := strings.Cut(member(place, "uploadUrl"), ".com")
	for n := range versions {
		r := httptest.NewRequest("POST", path, strings.NewReader("x"))
		r.Header = http.Header{
			"Authorization":     {member(place, "authorizationToken")},
			"X-Bz-File-Name":    {fmt.Sprintf("folder-%03d/photo-%07d.jpg", n/10%1000, n/10)},
			"X-Bz-Content-Sha1": {"do_not_verify"},
			"Content-Type":      {"image/jpeg"},
		}
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != http.StatusOK {
			tb.Fatal(w.Body)
		}
	}
	return bucketID
}

// member gives a string member of a reply.
func member(reply, name string) string {
	_, rest, _ := strings.Cut(reply, fmt.Sprintf("%q: \"", name))
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// middle is a request for a page in the middle of what populate made.
func middle(bucketID string, versions, page int) string {
	return fmt.Sprintf(`{"bucketId":%q,"maxFileCount":%d,"startFileName":"folder-%03d/"}`, bucketID, page, min(versions/20, 500))
}

// A page costs what it shows, however many versions there are around it.
func TestPageCostIsConstant(t *testing.T) {
	methods := []string{"b2_list_file_versions", "b2_list_file_names"}
	costs := func(dir string, versions int) (all []float64) {
		s, token := openBench(t, dir)
		list := middle(populate(t, s, token, versions), versions, 20)
		for _, method := range methods {
			all = append(all, testing.AllocsPerRun(20, func() { serve(t, s, token, method, list) }))
		}
		return all
	}
	for place, costs := range map[string][2][]float64{
		"memory": {costs("", 400), costs("", 2_000)},
		"folder": {costs(t.TempDir(), 400), costs(t.TempDir(), 1_000)},
	} {
		for i, method := range methods {
			if few, many := costs[0][i], costs[1][i]; many > few*1.2 {
				t.Errorf("%s in %s: a page costs %v allocations among few versions and %v among many", method, place, few, many)
			}
		}
	}
}

// One page of 1000 versions out of so many, and what each takes in memory.
func BenchmarkListVersions(b *testing.B) {
	for _, versions := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(versions), func(b *testing.B) {
			before := heap()
			s, token := openBench(b, "")
			list := middle(populate(b, s, token, versions), versions, 1000)
			s.ResetCalls()
			used := heap() - before
			began := processorTime(os.Getpid())
			for b.Loop() {
				serve(b, s, token, "b2_list_file_versions", list)
			}
			b.ReportMetric((processorTime(os.Getpid())-began)*1e6/float64(b.N), "cpu-µs/op")
			b.ReportMetric(float64(used)/float64(versions), "heap-B/version")
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
