package conform_test

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"b2form/internal/emulator"
	"b2form/internal/emulator/conform"
)

// namePrefix begins all names of runs in a shared account; the hexadecimal time
// of the run follows.
const namePrefix = "b2fc-"

// TestReal is the suite against the service itself, in the account of
// B2_TEST_APPLICATION_KEY_ID and B2_TEST_APPLICATION_KEY: a key with all
// capabilities, on all buckets. Without them it is skipped. Cases that need a
// clock, a fault or an account of their own are left out, names are unique, and
// what a case made is deleted at its end; what a run that was killed left is
// deleted by the next one a day later.
func TestReal(t *testing.T) {
	s := conform.Subject{
		URL:   cmp.Or(os.Getenv("B2_TEST_ENDPOINT"), "https://api.backblazeb2.com"),
		KeyID: os.Getenv("B2_TEST_APPLICATION_KEY_ID"), Key: os.Getenv("B2_TEST_APPLICATION_KEY"),
		Client: http.DefaultClient,
	}
	if s.KeyID == "" || s.Key == "" {
		t.Skip("B2_TEST_APPLICATION_KEY_ID and B2_TEST_APPLICATION_KEY are not set")
	}
	now := time.Now()
	if err := conform.Sweep(t.Context(), s, func(name string) bool { return isOld(name, now) }); err != nil {
		t.Error(err)
	}
	shared(t, s, now)
}

// isOld reports whether the name is of a run that began more than a day ago.
func isOld(name string, now time.Time) bool {
	rest, ours := strings.CutPrefix(name, namePrefix)
	stamp, _, _ := strings.Cut(rest, "-")
	began, err := strconv.ParseInt(stamp, 16, 64)
	return ours && err == nil && now.Sub(time.Unix(began, 0)) > 24*time.Hour
}

// shared runs the cases that suit, one after another, and sweeps after each.
func shared(t *testing.T, s conform.Subject, now time.Time) {
	ran := 0
	for i, c := range load(t) {
		t.Run(c.Name, func(t *testing.T) {
			s.NamePrefix = fmt.Sprintf("%s%08x-%d-", namePrefix, now.Unix(), i)
			err := c.Run(t.Context(), s)
			if errors.Is(err, conform.ErrUnsuited) {
				return
			}
			ran++
			ours := func(name string) bool { return strings.HasPrefix(name, s.NamePrefix) }
			if err = errors.Join(err, conform.Sweep(t.Context(), s, ours)); err != nil {
				t.Error(err)
			}
		})
	}
	if ran < 100 {
		t.Errorf("only %d cases suit a shared account", ran)
	}
}

// TestShared runs the suite as against the real service, in an emulated account
// that others use too, and demands that nothing of theirs is touched and nothing
// of ours left.
func TestShared(t *testing.T) {
	now := time.Now()
	server, s := start(t, emulator.Options{Now: time.Now}, false)
	dump := func() emulator.AccountDump {
		account, err := server.Dump()
		if err != nil {
			t.Fatal(err)
		}
		return account
	}
	s.NamePrefix = "others-"
	inhabit(t, s)
	before := dump()
	s.NamePrefix = fmt.Sprintf("%s%08x-0-", namePrefix, now.Add(-25*time.Hour).Unix())
	inhabit(t, s)
	if err := conform.Sweep(t.Context(), s, func(name string) bool { return isOld(name, now) }); err != nil {
		t.Error(err)
	}
	if diff := gocmp.Diff(before, dump()); diff != "" {
		t.Fatalf("what was left behind is not swept up (-want +got):\n%s", diff)
	}
	shared(t, s, now)
	if diff := gocmp.Diff(before, dump()); diff != "" {
		t.Errorf("the account changed (-before +after):\n%s", diff)
	}
}

// inhabit makes what is hardest to sweep up.
func inhabit(t *testing.T, s conform.Subject) {
	t.Helper()
	for _, c := range load(t) {
		if c.Name != "file-locks-of-all-kinds" {
			continue
		}
		if err := c.Run(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("the case is gone")
}
