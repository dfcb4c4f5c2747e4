package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A server runs and has the buckets "small", "large" and "listed".
type server struct {
	name, url, accessKeyID, secretAccessKey, region string
	client                                          *http.Client
	process                                         *os.Process
	stop                                            func()
	bucketNamePrefix                                string // what their names begin with
}

func startB2form(s settings, storage string) *server {
	args := []string{"emulator"}
	dir := makeTempDir(s.diskDir)
	if storage == "disk" {
		args = append(args, "-data="+dir)
	}
	out, process, stop := launch(dir, s.b2form, args...)
	env := map[string]string{}
	for range 4 {
		line, _ := out.ReadString('\n')
		name, value, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "export ")), "=")
		env[name] = value
	}
	srv := newServer("b2form", env["B2_S3_ENDPOINT"], "us-west-004", process, stop)
	srv.accessKeyID, srv.secretAccessKey = createAppKey(env)
	srv.makeBuckets()
	return srv
}

// createAppKey makes an application key natively: S3 takes no master key.
func createAppKey(env map[string]string) (id, secret string) {
	ask := func(verb, call, body string, authorize func(*http.Request)) (out struct {
		AuthorizationToken, ApplicationKeyID,
		ApplicationKey string
	}) {
		r, _ := http.NewRequest(verb, env["B2_ENDPOINT"]+"/b2api/v4/"+call, strings.NewReader(body))
		authorize(r)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			log.Fatal(err)
		}
		defer response.Body.Close()
		if err := json.NewDecoder(response.Body).Decode(&out); err != nil || response.StatusCode != 200 {
			log.Fatal(call, response.Status, err)
		}
		return out
	}
	account := env["B2_APPLICATION_KEY_ID"]
	token := ask("GET", "b2_authorize_account", "", func(r *http.Request) {
		r.SetBasicAuth(account, env["B2_APPLICATION_KEY"])
	}).AuthorizationToken
	k := ask("POST", "b2_create_key", `{"accountId":"`+account+`","keyName":"bench","capabilities":["writeBuckets","listFiles",`+
		`"readFiles","writeFiles"]}`,
		func(r *http.Request) { r.Header.Set("Authorization", token) })
	return k.ApplicationKeyID, k.ApplicationKey
}

func startVersitygw(s settings, storage string) *server {
	parent := s.diskDir
	if storage == "memory" {
		parent = "/dev/shm"
	}
	dir := makeTempDir(parent)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	_, process, stop := launch(dir, s.versitygw, "--access=bench", "--secret=benchsecret", "--region=us-west-004", "--port="+addr,
		"--quiet",
		"posix", dir)
	srv := newServer("versitygw", "http://"+addr, "us-west-004", process, stop)
	srv.accessKeyID, srv.secretAccessKey = "bench", "benchsecret"
	for {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	srv.makeBuckets()
	return srv
}

func newServer(name, url, region string, process *os.Process, stop func()) *server {
	return &server{name: name, url: url, region: region, process: process, stop: stop, client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: clients, WriteBufferSize: 1 << 16, ReadBufferSize: 1 << 16},
	}, bucketNamePrefix: "bench-"}
}

func makeTempDir(parent string) string {
	dir, err := os.MkdirTemp(parent, "s3bench-")
	if err != nil {
		log.Fatal(err)
	}
	return dir
}

// launch starts a process; stop ends it and removes its folder.
func launch(dirToRemove, program string, args ...string) (stdout *bufio.Reader, process *os.Process, stop func()) {
	c := exec.Command(program, args...)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		log.Fatal(err)
	}
	r := bufio.NewReader(out)
	return r, c.Process, func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		_ = os.RemoveAll(dirToRemove)
	}
}

// processorSeconds is for how many seconds processors worked for the server, as
// Linux tells it.
func (srv *server) processorSeconds() float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", srv.process.Pid))
	if err != nil {
		log.Fatal(err)
	}
	// The second field is a name in parentheses; 14 and 15 are the times.
	_, rest, _ := strings.Cut(string(stat), ") ")
	seconds := 0.0
	for _, field := range strings.Fields(rest)[11:13] {
		ticks, _ := strconv.ParseFloat(field, 64)
		seconds += ticks / 100
	}
	return seconds
}

func (srv *server) makeBuckets() {
	for _, name := range []string{"small", "large", "listed"} {
		srv.mustSend("PUT", "/"+name, nil)
	}
}

func (srv *server) putListedObjects(n int) {
	runConcurrently(n, func(i int) { srv.mustSend("PUT", fmt.Sprintf("/listed/%02x/%06d", i%256, i), []byte("x")) })
}

// mustSend sends a request, signed with the digest of its content, and gives the
// length of the reply.
func (srv *server) mustSend(verb, path string, body []byte) (replyLength int) {
	return srv.drain(srv.do(srv.request(verb, path, nil, body)))
}

func (srv *server) drain(response *http.Response) int {
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	if err != nil {
		log.Fatal(err)
	}
	return int(n)
}

func (srv *server) countByListing() (listed int) {
	query := url.Values{"list-type": {"2"}, "max-keys": {"1000"}}
	for {
		response := srv.do(srv.request("GET", "/listed", query, nil))
		page, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			log.Fatal(err)
		}
		listed += bytes.Count(page, []byte("<Key>"))
		_, rest, more := bytes.Cut(page, []byte("<NextContinuationToken>"))
		if !more {
			return listed
		}
		token, _, _ := bytes.Cut(rest, []byte("<"))
		query.Set("continuation-token", string(token))
	}
}

// request makes a request that is signed.
func (srv *server) request(verb, path string, query url.Values, body []byte) *http.Request {
	r, err := http.NewRequest(verb, srv.url+"/"+srv.bucketNamePrefix+path[1:], bytes.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	r.URL.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	srv.sign(r, body)
	return r
}

// do sends a request that must succeed.
func (srv *server) do(r *http.Request) *http.Response {
	response, err := srv.client.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	if response.StatusCode >= 300 {
		text, _ := io.ReadAll(response.Body)
		log.Fatalf("%s: %s %s: %s %s", srv.name, r.Method, r.URL.Path, response.Status, text)
	}
	return response
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (srv *server) sign(r *http.Request, body []byte) {
	at := time.Now().UTC().Format("20060102T150405Z")
	scope := at[:8] + "/" + srv.region + "/s3/aws4_request"
	sum := sha256.Sum256(body)
	digest := hex.EncodeToString(sum[:])
	r.Header.Set("X-Amz-Date", at)
	r.Header.Set("X-Amz-Content-Sha256", digest)
	canonical := sha256.Sum256([]byte(r.Method + "\n" + r.URL.EscapedPath() + "\n" + r.URL.RawQuery + "\nhost:" + r.URL.Host +
		"\nx-amz-content-sha256:" + digest + "\nx-amz-date:" + at + "\n\nhost;x-amz-content-sha256;x-amz-date\n" + digest))
	key := mac(mac(mac(mac([]byte("AWS4"+srv.secretAccessKey), at[:8]), srv.region), "s3"), "aws4_request")
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 "+
		"Credential=%s/%s,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=%x",
		srv.accessKeyID, scope, mac(key, "AWS4-HMAC-SHA256\n"+at+"\n"+scope+"\n"+hex.EncodeToString(canonical[:]))))
}
