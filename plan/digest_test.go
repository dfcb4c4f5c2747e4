package plan_test

import (
	"encoding/hex"
	"encoding/json"
	"testing"

	"golang.org/x/crypto/scrypt"

	"b2form/plan"
)

// Who guesses hidden values pays 0.1 s and 32 MB for each guess.
func TestSlowHashIfSalted(t *testing.T) {
	texts, salt := []string{"variables", "a secret"}, []byte("sixteen bytes of")
	text, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	want, err := scrypt.Key(text, salt, 1<<15, 8, 1, 32)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := plan.HashSlowlyIfSalted(texts, salt); got != hex.EncodeToString(want) || err != nil {
		t.Errorf("SlowHashIfSalted = %s, %v, want %x", got, err, want)
	}
}
