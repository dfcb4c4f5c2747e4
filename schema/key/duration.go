package key

import (
	"fmt"
	"time"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/kind"
)

// parseDurationInSeconds reads a duration of whole seconds; ok is false where it is none.
func parseDurationInSeconds(s string) (n int64, ok bool) {
	d, ok := words.ParseDuration(s)
	return int64(d / time.Second), ok && d%time.Second == 0
}

// expiryAttr tells when a live key ends.
const expiryAttr = "expiration_timestamp"

const thousandDaysSeconds = 1000 * 86400

func checkValidDuration(v cty.Value) kind.Problems {
	n, ok := parseDurationInSeconds(v.AsString())
	if !ok {
		return kind.Errorf("Invalid duration", "%q is not a duration of whole seconds: %s.", v.AsString(), words.Durations)
	}
	if n < 1 || n >= thousandDaysSeconds {
		return kind.Errorf("Invalid duration", "A key lives for at least 1 second and less than 1000 days; %q is %d seconds.", v.AsString(),
			n)
	}
	return nil
}

func encodeDurationInSeconds(v cty.Value) any {
	n, _ := parseDurationInSeconds(v.AsString())
	return n
}

// tolerance covers the difference between B2's clock and ours.
const tolerance = 10 * time.Minute

// sameValidDurationIfKnown compares the wanted life with the live expiry. When a key was made is
// known only of those that b2form made. Of another, which was taken over as it was, any
// expiry is as wanted, also where none is declared; a key that takes its place has the one that is.
func sameValidDurationIfKnown(p kind.Comparison) bool {
	want, expires := p.Want.GetAttr("valid_duration"), p.Live.GetAttr(expiryAttr)
	switch {
	case expires.IsNull() || p.IsMadeAnew && want.IsNull():
		return expires.IsNull() && want.IsNull()
	case p.Entry == nil || p.Entry.Created.IsZero() || !p.Entry.Adopted.IsZero():
		return true
	case want.IsNull():
		return false
	}
	lasts := parseCheckedDuration(want.AsString())
	life := kind.TimeFromMillis(expires).Sub(p.Entry.Created)
	return (life - lasts).Abs() <= min(tolerance, lasts/2)
}

// parseCheckedDuration is a checked duration.
func parseCheckedDuration(s string) time.Duration {
	n, _ := parseDurationInSeconds(s)
	return time.Duration(n) * time.Second
}

// declaredLife is how long the key lives that is declared; 0: for ever.
func declaredLife(want kind.AttrReader) time.Duration {
	lasts := want.GetAttr("valid_duration")
	if lasts.IsNull() || !lasts.IsKnown() {
		return 0
	}
	return parseCheckedDuration(lasts.AsString())
}

// setValidDuration declares a life in whole days or, where that is less than one, hours.
func setValidDuration(v kind.Values, life time.Duration) {
	const day = 24 * time.Hour
	text := fmt.Sprintf("%dd", min((life+day-1)/day, 999))
	if life < day {
		text = fmt.Sprintf("%dh", (life+time.Hour-1)/time.Hour)
	}
	lasts := cty.StringVal(text)
	v.Set("valid_duration", &lasts)
}

// expiresAt is when the live key ends; zero: never.
func expiresAt(live kind.AttrReader) time.Time {
	return kind.TimeFromMillis(live.GetAttr(expiryAttr))
}

// expiryText is what B2 tells of a live key's valid_duration.
func expiryText(live kind.AttrReader) string {
	at := expiresAt(live)
	if at.IsZero() {
		return "never expires"
	}
	return "expires " + words.ReadableTime(at)
}

// createdAtByExpiry is when B2 made the key. Its clock set the expiry, and ours may be wrong.
func createdAtByExpiry(want, live kind.AttrReader) time.Time {
	at, lasts := expiresAt(live), want.GetAttr("valid_duration")
	if at.IsZero() || lasts.IsNull() {
		return time.Time{}
	}
	return at.Add(-parseCheckedDuration(lasts.AsString()))
}
