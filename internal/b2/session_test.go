package b2_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2form/internal/b2"
)

// tokens is a service whose tokens work for an hour. Requests take a second.
type tokens struct {
	mu      sync.Mutex
	issued  int
	at      time.Time
	trouble func(authorization int) bool // fails this authorization without a reply
}

func (s *tokens) RoundTrip(r *http.Request) (*http.Response, error) {
	status, reply := s.answer(r)
	select {
	case <-time.After(time.Second):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if status == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	w := httptest.NewRecorder()
	w.WriteHeader(status)
	_, _ = io.WriteString(w, reply)
	return w.Result(), nil
}

func (s *tokens) answer(r *http.Request) (int, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.HasSuffix(r.URL.Path, "authorize_account") {
		s.issued++
		s.at = time.Now()
		if s.trouble != nil && s.trouble(s.issued) {
			return 0, ""
		}
		return 200, fmt.Sprintf(`{"accountId": "a", "authorizationToken": "t%d", "apiInfo": {"storageApi": {"apiUrl": "https://api"}}}`,
			s.issued)
	}
	if r.Header.Get("Authorization") != fmt.Sprintf("t%d", s.issued) || time.Since(s.at) >= time.Hour {
		return 401, `{"code": "expired_auth_token", "message": "", "status": 401}`
	}
	return 200, "{}"
}

func (s *tokens) client(t *testing.T) *b2.Client {
	client, err := b2.New(b2.Options{KeyID: keyID, Key: key, Transport: s, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestExpiryIsSharedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tokens{}
		client := s.client(t)
		wave(t, client, 30)
		<-time.After(2 * time.Hour)
		wave(t, client, 30)
		if s.issued != 2 {
			t.Errorf("%d authorizations, want 2", s.issued)
		}
	})
}

func TestAFailedAuthorizationIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tokens{trouble: func(n int) bool { return n <= 3 }}
		client := s.client(t)
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if _, err := client.Authorize(t.Context()); err == nil {
					t.Error("authorized without an answer")
				}
			})
		}
		all.Wait()
		if _, err := client.Authorize(t.Context()); err != nil || s.issued != 4 {
			t.Errorf("after the trouble: %v, %d requests in all", err, s.issued)
		}
	})
}

func TestTheCancelledLeaderDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tokens{}
		client := s.client(t)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if _, err := client.Authorize(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("the leader got %v", err)
			}
		}()
		synctest.Wait()
		short, end := context.WithTimeout(t.Context(), time.Millisecond)
		defer end()
		if _, err := client.Authorize(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an impatient follower got %v", err)
		}
		go cancel()
		wave(t, client, 5)
		if s.issued != 2 {
			t.Errorf("%d authorizations, want the cancelled one and one more", s.issued)
		}
	})
}

func TestWhatAuthorizeMayNotAnswer(t *testing.T) {
	for name, body := range map[string]string{
		"lacks the account": `{"accountId": "", "apiInfo": {}}`,
		"documented shape":  `{"accountId": 12}`,
		"without https":     `{"accountId": "a", "authorizationToken": "t", "apiInfo": {"storageApi": {"apiUrl": "http://api.example"}}}`,
	} {
		client, err := b2.New(b2.Options{KeyID: keyID, Key: key, Now: time.Now,
			Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				w := httptest.NewRecorder()
				_, _ = io.WriteString(w, body)
				return w.Result(), nil
			})})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Authorize(t.Context())
		wantContains(t, "error", kindError(t, err).Message, name)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A Date that cannot be right is refused before anything goes by it; one that is merely wrong is not.
func TestDateFarOff(t *testing.T) {
	now := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	for date, refused := range map[string]bool{
		"Tue, 03 Nov 2026 12:00:00 GMT": false, "Mon, 01 Feb 2027 12:00:00 GMT": false, "Fri, 31 Dec 9999 23:59:59 GMT": true,
		"Thu, 01 Jan 1970 00:00:00 GMT": true, "Mon, 08 Nov 2027 12:00:00 GMT": true, "": false, "nonsense": false,
	} {
		client, err := b2.New(b2.Options{KeyID: "0001", Key: "K0001", Now: func() time.Time { return now },
			Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				w := httptest.NewRecorder()
				w.Header().Set("Date", date)
				_, _ = io.WriteString(w, `{"accountId": "a", "authorizationToken": "t",
					"apiInfo": {"storageApi": {"apiUrl": "https://api"}}}`)
				return w.Result(), nil
			})})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Authorize(t.Context())
		if (err != nil) != refused {
			t.Errorf("%s: %v", date, err)
		}
		if err == nil {
			continue
		}
		if summary, _ := b2.Explain(err); !strings.Contains(summary, "the clock of this machine shows 2026-11-03 12:00 UTC") {
			t.Errorf("%s: %s", date, summary)
		}
	}
}
