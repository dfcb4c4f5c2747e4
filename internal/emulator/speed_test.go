package emulator_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"b2form/internal/emulator"
)

// What follows measures b2form emulator as a process of its own, over loopback,
// beside another local object server: the program that B2FORM_RIVAL names, which
// takes the flags of gofakes3. docs/benchmarks-emulator.md has the results.

// build makes the program.
func build(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "b2form")
	if out, err := exec.Command("go", "build", "-o", program, "b2form/cmd/b2form").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return program
}

// A running is the emulator as a process, and where it is.
type running struct {
	id, key, url string
	token        string
	bucketID     string
	client       *http.Client
	pid          int
	stop         func() time.Duration
}

// launch starts a process that ends with the benchmark, or earlier by stop, which
// gives for how long processors worked for it.
func launch(b *testing.B, program string, args ...string) (out *bufio.Reader, pid int, stop func() time.Duration) {
	b.Helper()
	c := exec.Command(program, args...)
	pipe, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	stop = sync.OnceValue(func() time.Duration {
		_ = c.Process.Kill()
		_ = c.Wait() // killed
		return c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	})
	b.Cleanup(func() { stop() })
	return bufio.NewReader(pipe), c.Process.Pid, stop
}

func start(b *testing.B, program string) *running {
	b.Helper()
	out, pid, stop := launch(b, program, "emulator")
	r := &running{client: newClient(), pid: pid, stop: stop}
	if _, err := fmt.Fscanf(out, "export B2_APPLICATION_KEY_ID=%s\nexport B2_APPLICATION_KEY=%s\nexport B2_ENDPOINT=%s\n", &r.id, &r.key,
		&r.url); err != nil {
		b.Fatal(err)
	}
	return r
}

func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
}

// authorize gets a token and makes a bucket.
func (r *running) authorize(b *testing.B) {
	b.Helper()
	r.token = member(r.ask(b, "GET", "/b2api/v4/b2_authorize_account", nil, nil), "authorizationToken")
	made := r.post(b, "b2_create_bucket", fmt.Sprintf(`{"accountId":%q,"bucketName":"my-bucket","bucketType":"allPrivate"}`, r.id))
	r.bucketID = member(made, "bucketId")
}

func (r *running) post(b *testing.B, method, body string) string {
	return r.ask(b, "POST", "/b2api/v4/"+method, []byte(body), nil)
}

// ask sends a request and wants success.
func (r *running) ask(b *testing.B, method, target string, body []byte, header http.Header) string {
	if strings.HasPrefix(target, "/") {
		target = r.url + target
	}
	request, err := http.NewRequest(method, target, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	if header != nil {
		request.Header = header
	} else if r.token != "" {
		request.Header.Set("Authorization", r.token)
	} else if r.id != "" {
		request.SetBasicAuth(r.id, r.key)
	}
	response, err := r.client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	reply, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("%s %s: %s %s", method, target, response.Status, reply)
	}
	return string(reply)
}

// clients is how many ask at once, per processor.
const clients = 8

// parallel measures requests of so many clients at once: how many a second, and how
// long a processor works for one in the server's process.
func parallel(b *testing.B, pid int, ask func(n int)) {
	b.SetParallelism(clients)
	var mu sync.Mutex
	n, before := 0, processorTime(pid)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			mu.Lock()
			n++
			mine := n
			mu.Unlock()
			ask(mine)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric((processorTime(pid)-before)*1e6/float64(b.N), "server-cpu-µs/op")
}

// processorTime is for how many seconds processors worked for a process, in
// steps of 0.01, as Linux tells it; 0 elsewhere.
func processorTime(pid int) float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The second field is a name in parentheses; 14 and 15 are the times.
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	fields := strings.Fields(string(rest))
	const user, system, ticks = 11, 12, 100
	seconds := 0.0
	for _, i := range []int{user, system} {
		n, _ := strconv.ParseFloat(fields[i], 64)
		seconds += n / ticks
	}
	return seconds
}

// BenchmarkLoopback is the emulator's speed.
func BenchmarkLoopback(b *testing.B) {
	r := start(b, build(b))
	r.authorize(b)
	content := bytes.Repeat([]byte("x"), 1024)
	// One token is good for one upload at a time.
	places := make(chan string, 2*clients)
	for range 2 * clients {
		places <- r.post(b, "b2_get_upload_url", fmt.Sprintf(`{"bucketId":%q}`, r.bucketID))
	}
	upload := func(name string) {
		place := <-places
		defer func() { places <- place }()
		r.ask(b, "POST", member(place, "uploadUrl"), content, http.Header{
			"Authorization": {member(place, "authorizationToken")}, "X-Bz-File-Name": {name},
			"X-Bz-Content-Sha1": {"do_not_verify"}, "Content-Type": {"text/plain"},
		})
	}
	upload("f")
	for _, op := range []struct {
		name string
		ask  func(n int)
	}{
		{"list-buckets", func(int) { r.post(b, "b2_list_buckets", fmt.Sprintf(`{"accountId":%q}`, r.id)) }},
		{"update-bucket", func(n int) {
			r.post(b, "b2_update_bucket", fmt.Sprintf(`{"accountId":%q,"bucketId":%q,"bucketInfo":{"n":"%d"}}`, r.id, r.bucketID, n))
		}},
		{"create-key", func(int) {
			r.post(b, "b2_create_key", fmt.Sprintf(`{"accountId":%q,"keyName":"k","capabilities":["listFiles"]}`, r.id))
		}},
		{"upload-1KiB", func(n int) { upload(fmt.Sprintf("f%d", n)) }},
		{"download-1KiB", func(int) { r.ask(b, "GET", "/file/my-bucket/f", nil, nil) }},
	} {
		b.Run(op.name, func(b *testing.B) { parallel(b, r.pid, op.ask) })
	}
}

// BenchmarkUploadLarge is one large upload after another, beside a server that
// only copies what it gets into memory.
func BenchmarkUploadLarge(b *testing.B) {
	const size = 64 << 20
	content := make([]byte, size)
	b.Run("emulator", func(b *testing.B) {
		r := start(b, build(b))
		r.authorize(b)
		place := r.post(b, "b2_get_upload_url", fmt.Sprintf(`{"bucketId":%q}`, r.bucketID))
		b.SetBytes(size)
		for b.Loop() {
			made := r.ask(b, "POST", member(place, "uploadUrl"), content, http.Header{
				"Authorization": {member(place, "authorizationToken")}, "X-Bz-File-Name": {"f"},
				"X-Bz-Content-Sha1": {"do_not_verify"}, "Content-Type": {"text/plain"},
			})
			r.post(b, "b2_delete_file_version", fmt.Sprintf(`{"fileName":"f","fileId":%q}`, member(made, "fileId")))
		}
	})
	b.Run("plain-copy", func(b *testing.B) {
		var held []byte
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			held = make([]byte, r.ContentLength)
			if _, err := io.ReadFull(r.Body, held); err != nil {
				b.Error(err)
			}
		}))
		defer server.Close()
		r := &running{url: server.URL, client: newClient()}
		b.SetBytes(size)
		for b.Loop() {
			r.ask(b, "POST", "/", content, nil)
		}
		if len(held) != size {
			b.Errorf("%d bytes are held", len(held))
		}
	})
}

// BenchmarkRival is the same for the other server, as far as it goes.
func BenchmarkRival(b *testing.B) {
	program := os.Getenv("B2FORM_RIVAL")
	if program == "" {
		b.Skip("B2FORM_RIVAL names no program")
	}
	addr := freeAddress(b)
	_, pid, _ := launch(b, program, "-backend=memory", "-host="+addr, "-initialbucket=my-bucket", "-quiet")
	await(b, addr)
	r := &running{url: "http://" + addr, client: newClient(), pid: pid}
	content := bytes.Repeat([]byte("x"), 1024)
	r.ask(b, "PUT", "/my-bucket/f", content, nil)
	for _, op := range []struct {
		name string
		ask  func(n int)
	}{
		{"list-buckets", func(int) { r.ask(b, "GET", "/", nil, nil) }},
		{"upload-1KiB", func(n int) { r.ask(b, "PUT", fmt.Sprintf("/my-bucket/f%d", n), content, nil) }},
		{"download-1KiB", func(int) { r.ask(b, "GET", "/my-bucket/f", nil, nil) }},
	} {
		b.Run(op.name, func(b *testing.B) { parallel(b, r.pid, op.ask) })
	}
}

func freeAddress(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// await tries to connect until somebody listens.
func await(b *testing.B, addr string) {
	b.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return
		}
	}
	b.Fatalf("nobody listens on %s", addr)
}

// BenchmarkStart is from the start of the process to its first reply: on average, the
// quickest, which other work on the machine delays least, and how long processors worked.
func BenchmarkStart(b *testing.B) {
	program := build(b)
	var worked time.Duration
	quickest := time.Hour
	for b.Loop() {
		began := time.Now()
		r := start(b, program)
		r.ask(b, "GET", "/b2api/v4/b2_authorize_account", nil, nil)
		quickest = min(quickest, time.Since(began))
		b.StopTimer()
		worked += r.stop()
		b.StartTimer()
	}
	b.ReportMetric(float64(quickest.Microseconds())/1000, "quickest-ms")
	b.ReportMetric(float64(worked.Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

// BenchmarkMemoryOfKeys is what 100 000 keys take.
func BenchmarkMemoryOfKeys(b *testing.B) {
	const keys = 100_000
	for b.Loop() {
		before := heap()
		s, err := emulator.Open(emulator.Options{Now: nowNoon})
		if err != nil {
			b.Fatal(err)
		}
		token := member(serve(b, s, "", "b2_authorize_account", "{}"), "authorizationToken")
		body := fmt.Sprintf(`{"accountId":%q,"keyName":"bench","capabilities":[%s]}`, s.AccountID(), readWrite)
		for range keys {
			serve(b, s, token, "b2_create_key", body)
		}
		s.ResetCalls()
		b.ReportMetric(float64(heap()-before)/keys, "heap-B/key")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
