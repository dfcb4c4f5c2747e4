package secret_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/secret"
	"b2form/schema/config"
)

// A delivery that may not go on ends between two destinations, and says which
// one has the secret already.
func TestStoppedBetweenDestinations(t *testing.T) {
	dir := t.TempDir()
	gone := errors.New("another run has the state")
	asked := 0
	env := secret.DeliveryOptions{CheckBeforeEachEffect: func() error {
		if asked++; asked == 2 {
			return gone
		}
		return nil
	}}
	s, err := secret.Prepare(t.Context(), before(), []config.Delivery{file(filepath.Join(dir, "a.env")), file(filepath.Join(dir, "b.env"))},
		env)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Deliver(before(), nil)
	var stopped *secret.Error
	if !errors.As(err, &stopped) || !errors.Is(err, gone) {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff([]string{"a.env"}, stopped.InvalidatedDestinations); diff != "" {
		t.Errorf("dead (-want +got):\n%s", diff)
	}
	if got := files(t, dir); len(got) != 1 || got["a.env"] == "" {
		t.Errorf("there are %v", len(got))
	}
}

// What can be told without writing is told before anything is written.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.Mkdir(at("folder"), 0o755))
	must(t, os.WriteFile(at("old.env"), []byte("old"), 0o600))
	was := files(t, dir)
	for _, test := range []struct {
		want string // "": nothing is wrong
		d    config.Delivery
	}{
		{"", file(at("new/app.env"))},
		{"", file(at("old.env"))},
		{"folder is a directory", file(at("folder"))},
		{"which b2form itself needs", file(at("state.json"))},
		{"no standard output", config.Delivery{Type: "stdout"}},
		{`"b2form-no-such-program" is not found`, config.Delivery{Type: "command", Command: []string{"b2form-no-such-program"}}},
	} {
		err := secret.Check([]config.Delivery{file(at("first.env")), test.d},
			secret.DeliveryOptions{ProtectedPaths: []string{at("state.json")}})
		var refused *secret.Error
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.d.Path, err)
		case test.want != "" && (!errors.As(err, &refused) || !strings.Contains(refused.Detail, test.want)):
			t.Errorf("%v, want %q", err, test.want)
		}
	}
	err := secret.Check([]config.Delivery{file(at("folder")), {Type: "stdout"}}, secret.DeliveryOptions{})
	requireEachRefused(t, err, "folder is a directory", "no standard output")
	if diff := cmp.Diff(was, files(t, dir)); diff != "" {
		t.Errorf("it wrote (-before +after):\n%s", diff)
	}
}

// Every destination that cannot be used is named at once.
func TestPrepareNamesEachRefusal(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "folder"), 0o755))
	_, err := secret.Prepare(t.Context(), before(), []config.Delivery{file(filepath.Join(dir, "folder")), file(filepath.Join(dir, "x")),
		{Type: "stdout"}}, secret.DeliveryOptions{})
	requireEachRefused(t, err, "folder is a directory", "no standard output")
	if got := files(t, dir); len(got) != 1 || got["folder"] == "" {
		t.Errorf("there are %v", got)
	}
}

// requireEachRefused wants err to join one *secret.Error of each detail.
func requireEachRefused(t *testing.T, err error, details ...string) {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != len(details) {
		t.Fatalf("got %v, want %d errors", err, len(details))
	}
	for i, e := range joined.Unwrap() {
		var refused *secret.Error
		if !errors.As(e, &refused) || !strings.Contains(refused.Detail, details[i]) {
			t.Errorf("got %v, want %q", e, details[i])
		}
	}
}
