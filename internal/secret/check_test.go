package secret_test

import (
	"errors"
	"path/filepath"
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
	env := secret.Options{Check: func() error {
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
	if diff := cmp.Diff([]string{"a.env"}, stopped.Invalidated); diff != "" {
		t.Errorf("dead (-want +got):\n%s", diff)
	}
	if got := files(t, dir); len(got) != 1 || got["a.env"] == "" {
		t.Errorf("there are %v", len(got))
	}
}
