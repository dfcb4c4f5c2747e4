package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"b2form/internal/secret"
	"b2form/schema/config"
)

// noCanary fails if text holds the secret, in any of its disguises.
func noCanary(t testing.TB, name, text string) {
	t.Helper()
	if disguise := findCanary(text); disguise != "" {
		t.Errorf("%s shows the secret (%s)", name, disguise)
	}
}

func findCanary(text string) string {
	quoted, _ := json.Marshal(canary)
	core := canary[4:20] // a part gives it away too
	for name, form := range map[string]string{
		"plain": canary, "in part": core,
		"query": url.QueryEscape(canary), "path": url.PathEscape(canary),
		"JSON": strings.Trim(string(quoted), `"`), "Go": strings.Trim(fmt.Sprintf("%q", canary), `"`),
		"base64":          base64.StdEncoding.EncodeToString([]byte(canary))[:40],
		"base64 for URLs": base64.URLEncoding.EncodeToString([]byte(canary))[:40],
		"bytes":           strings.Trim(fmt.Sprint([]byte(canary)), "[]"), "hex": fmt.Sprintf("%x", canary),
	} {
		if strings.Contains(text, form) {
			return name
		}
	}
	return ""
}

// The secret is delivered, and then found nowhere but there.
func TestCanary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.env")
	var out bytes.Buffer
	deliveries := []config.Delivery{file(path), {Type: "stdout", DisplayName: "standard output"}}
	env := secret.DeliveryOptions{Stdout: &out}
	slots, err := secret.Prepare(t.Context(), before(), deliveries, env)
	must(t, err)
	self := after()
	where, err := slots.Deliver(self, nil)
	must(t, err)
	data, err := os.ReadFile(path)
	must(t, err)
	if string(data) != asEnv || out.String() != asEnv {
		t.Fatalf("not delivered: %q, %q", data, &out)
	}
	broken, err := secret.Prepare(t.Context(), before(), deliveries, secret.DeliveryOptions{Stdout: brokenPipe(3)})
	must(t, err)
	_, failure := broken.Deliver(self, nil)
	var typed *secret.Error
	if !errors.As(failure, &typed) {
		t.Fatalf("Deliver = %v", failure)
	}

	values := map[string]any{
		"Value": self.Key, "*Value": &self.Key, "Self": self, "*Self": &self, "Slots": slots, "Slots that failed": broken,
		"where": where, "error": failure, "Error": *typed, "a list": []any{self, self.Key}, "a map": map[string]any{"key": self.Key},
		"unexported": struct{ key secret.Value }{self.Key},
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%40s"} {
			noCanary(t, name+" as "+verb, fmt.Sprintf(verb, v))
		}
		if text, err := json.Marshal(v); err == nil {
			noCanary(t, name+" as JSON", string(text))
		}
		var log bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
			slog.New(h).Info("message", "value", v, slog.Group("group", "value", v))
		}
		noCanary(t, name+" in a log", log.String())
	}
}

// The search must be able to find.
func TestFindCanary(t *testing.T) {
	quoted, _ := json.Marshal(map[string]string{"key": canary})
	for _, leak := range []string{
		canary, "x" + canary[2:25], "?key=" + url.QueryEscape(canary), url.PathEscape(canary), string(quoted),
		base64.StdEncoding.EncodeToString([]byte(canary)), base64.RawURLEncoding.EncodeToString([]byte(canary)),
		fmt.Sprintf("%#v", struct{ s string }{canary}), fmt.Sprint([]byte(canary)), fmt.Sprintf("%x", canary),
	} {
		if findCanary(leak) == "" {
			t.Errorf("not found in %q", leak)
		}
	}
}

func TestZeroValue(t *testing.T) {
	var v secret.Value
	if !v.IsZero() || v.Reveal() != "" || secret.New("").IsZero() || secret.New(canary).Reveal() != canary {
		t.Error("the zero Value must be no secret, and every other keep its text")
	}
}
