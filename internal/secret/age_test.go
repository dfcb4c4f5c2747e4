package secret_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"b2form/internal/secret"
	"b2form/schema/config"
)

// An age file replaces what was there, can be read by its recipients, and gives
// nothing away to anybody else.
func TestAge(t *testing.T) {
	dir := t.TempDir()
	alice, err := age.GenerateX25519Identity()
	must(t, err)
	d := file(filepath.Join(dir, "key.age"))
	d.Type, d.Recipients = "age", []string{alice.Recipient().String()}
	must(t, os.WriteFile(d.Path, []byte("old"), 0o644))

	slots, err := secret.Prepare(t.Context(), before(), []config.Delivery{d}, secret.DeliveryOptions{})
	must(t, err)
	where, err := slots.Deliver(after(), nil)
	must(t, err)
	if len(where) != 1 || where[0] != "key.age" {
		t.Errorf("delivered to %v", where)
	}
	left := files(t, dir)
	sealed := left["key.age"]
	if len(left) != 1 || !strings.HasPrefix(sealed, armor.Header) {
		t.Fatalf("left: %v", left)
	}
	noCanary(t, "the encrypted file", sealed)
	r, err := age.Decrypt(armor.NewReader(strings.NewReader(sealed)), alice)
	must(t, err)
	text, err := io.ReadAll(r)
	must(t, err)
	if string(text) != asEnv {
		t.Errorf("the recipient reads %q", text)
	}
	if info, err := os.Stat(d.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}

	d.Recipients = []string{"age1nobody"}
	_, err = secret.Prepare(t.Context(), before(), []config.Delivery{d}, secret.DeliveryOptions{})
	var refused *secret.Error
	if !errors.As(err, &refused) || !strings.Contains(refused.Detail, "recipient 1") {
		t.Errorf("a bad recipient: %v", err)
	}
}
