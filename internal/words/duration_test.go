package words_test

import (
	"math"
	"testing"
	"time"

	"b2form/internal/words"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"40d": 40 * day, "999d23h": 999*day + 23*time.Hour, "1w": 7 * day, "1h30m": 90 * time.Minute, "90": 90 * time.Second, "0": 0,
		"1.5h": 90 * time.Minute, "50ms": 50 * time.Millisecond, "0.5d": 12 * time.Hour, "1e3": 1000 * time.Second,
		"86399999": 86399999 * time.Second, "99999999999d": math.MaxInt64 / time.Second * time.Second,
	} {
		if got, ok := words.ParseDuration(text); !ok || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "d", "-5s", "5x", "5 d", "1d-2h", "soon", "Inf", "NaN", "..s", "-1", "1_0s", "0x10"} {
		if got, ok := words.ParseDuration(text); ok {
			t.Errorf("%q is taken as %v", text, got)
		}
	}
}

func TestExactDuration(t *testing.T) {
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		90 * day: "90 days", day: "1 day", 36 * time.Hour: "36 hours", time.Hour: "1 hour", 90 * time.Minute: "90 minutes",
		90 * time.Second: "1m30s", time.Second + 1: "1s", 0: "0s",
	} {
		if got := words.ExactDuration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
