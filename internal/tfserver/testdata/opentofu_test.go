package http

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/opentofu/opentofu/internal/states/statemgr"
)

// client is OpenTofu's, of one run.
func client(t *testing.T) *httpClient {
	t.Helper()
	at := func(path string) *url.URL {
		u, err := url.Parse(os.Getenv("STATE_SERVER") + path)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	c := &httpClient{
		URL: at("/states/web"), UpdateMethod: "POST", LockURL: at("/states/web"), LockMethod: "LOCK",
		UnlockURL: at("/states/web"), UnlockMethod: "UNLOCK", Client: retryablehttp.NewClient(),
		Username: os.Getenv("TF_HTTP_USERNAME"), Password: os.Getenv("TF_HTTP_PASSWORD"),
	}
	c.Client.RetryMax, c.Client.Logger = 0, nil
	if os.Getenv("STATE_SERVER_IS") == "gitlab" {
		c.LockURL, c.LockMethod, c.UnlockURL, c.UnlockMethod = at("/states/web/lock"), "POST", at("/states/web/lock"), "DELETE"
	}
	return c
}

// A run takes the lock, stores and reads; a second one is refused and shown the holder, and takes
// the lock away by its ID alone, as force-unlock does.
func TestServer(t *testing.T) {
	ctx := context.Background()
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	holds := func(c *httpClient, want string) {
		t.Helper()
		switch p, err := c.Get(ctx); {
		case err != nil:
			t.Fatal(err)
		case p == nil && want != "", p != nil && string(p.Data) != want:
			t.Errorf("the server has %v, want %s", p, want)
		}
	}
	first, second := client(t), client(t)
	holds(first, "")
	info := statemgr.NewLockInfo()
	info.Operation = "OperationTypeApply"
	id, err := first.Lock(ctx, info)
	must("lock", err)
	must("store", first.Put(ctx, []byte(`{"version":4,"serial":1}`)))
	holds(second, `{"version":4,"serial":1}`)

	_, err = second.Lock(ctx, statemgr.NewLockInfo())
	var held *statemgr.LockError
	if !errors.As(err, &held) || held.Info.ID != id || held.Info.Who != info.Who || held.Info.Operation != "OperationTypeApply" ||
		!held.Info.Created.Equal(info.Created) {
		t.Fatalf("a second run is told %v", err)
	}
	if err := second.Unlock(ctx, "00000000-0000-0000-0000-000000000000"); err == nil {
		t.Error("a lock of another ID was taken away")
	}
	must("force-unlock", client(t).Unlock(ctx, held.Info.ID))
	_, err = second.Lock(ctx, statemgr.NewLockInfo())
	must("lock after that", err)
	must("store", second.Put(ctx, []byte(`{"version":4,"serial":2}`)))
	err = first.Put(ctx, []byte(`{"version":4,"serial":3}`))
	if refused := err != nil; refused != (os.Getenv("STATE_SERVER_IS") == "gitlab") {
		t.Errorf("who lost the lock stores: %v", err)
	}
	must("unlock", second.Unlock(ctx, second.lockID))
	_, err = first.Lock(ctx, statemgr.NewLockInfo())
	must("lock", err)
	must("unlock", first.Unlock(ctx, first.lockID))

	stranger := client(t)
	stranger.Password = "another"
	if _, err := stranger.Get(ctx); err == nil || !strings.Contains(err.Error(), "requires auth") {
		t.Errorf("a stranger is told %v", err)
	}
}
