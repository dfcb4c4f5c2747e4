package emulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"b2form/internal/emulator"
)

// serve answers a request without a network and fails on anything but 200.
func serve(b testing.TB, s *emulator.Server, token, method, body string) string {
	b.Helper()
	r := httptest.NewRequest("POST", "/b2api/v3/"+method, strings.NewReader(body))
	r.SetBasicAuth(s.MasterKeyID(), s.MasterKey())
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	reply, err := io.ReadAll(w.Body)
	if err != nil || w.Code != http.StatusOK {
		b.Fatalf("%s: %d %s %v", method, w.Code, reply, err)
	}
	return string(reply)
}

func openBench(b testing.TB, dir string) (s *emulator.Server, token string) {
	s, err := emulator.Open(emulator.Options{Now: nowNoon, Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	reply := serve(b, s, "", "b2_authorize_account", "{}")
	_, rest, _ := strings.Cut(reply, `"authorizationToken": "`)
	token, _, _ = strings.Cut(rest, `"`)
	return s, token
}

func place(dir string) string {
	if dir == "" {
		return "memory"
	}
	return "folder"
}

const readWrite = `"deleteFiles","listBuckets","listFiles","readBuckets","readFiles","shareFiles","writeFiles"`

func BenchmarkCreateKey(b *testing.B) {
	for _, dir := range []string{"", b.TempDir()} {
		b.Run(place(dir), func(b *testing.B) {
			s, token := openBench(b, dir)
			body := fmt.Sprintf(`{"accountId":%q,"keyName":"bench","capabilities":[%s]}`, s.AccountID(), readWrite)
			for b.Loop() {
				serve(b, s, token, "b2_create_key", body)
			}
		})
	}
}

// One page of 10 000 keys.
func BenchmarkListKeys(b *testing.B) {
	for _, dir := range []string{"", b.TempDir()} {
		b.Run(place(dir), func(b *testing.B) {
			s, token := openBench(b, dir)
			body := fmt.Sprintf(`{"accountId":%q,"keyName":"bench","capabilities":[%s]}`, s.AccountID(), readWrite)
			for range 10_000 {
				serve(b, s, token, "b2_create_key", body)
			}
			list := fmt.Sprintf(`{"accountId":%q,"maxKeyCount":10000}`, s.AccountID())
			for b.Loop() {
				serve(b, s, token, "b2_list_keys", list)
			}
		})
	}
}
