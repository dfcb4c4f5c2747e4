package kind

import (
	"time"

	"github.com/zclconf/go-cty/cty"
)

// A Rotation says how objects that cannot be changed are renewed while their
// users go on: a successor is made, and the older one lives on for a while.
type Rotation struct {
	Every       time.Duration // the age at which an object is renewed; 0: only before it expires
	Overlap     time.Duration // how long it lives on beside its successor
	RenewBefore time.Duration // how long before its expiry it is renewed at the latest
}

// Due is when an object is to be renewed that was made and will expire at the
// given times. A zero expires: never; a zero result: never.
func (r Rotation) Due(made, expires time.Time) (dueOrZero time.Time) {
	var due time.Time
	if r.Every > 0 {
		due = made.Add(r.Every)
	}
	if before := expires.Add(-r.RenewBefore); !expires.IsZero() && (due.IsZero() || before.Before(due)) {
		due = before
	}
	return due
}

// RotationOf is the rotation that v asks for, an object of the kind's
// ConfigType; ok is false where it asks for none.
func (k *Kind) RotationOf(v AttrReader) (r Rotation, ok bool) {
	if k.Credential == nil || v.IsNull() {
		return Rotation{}, false
	}
	return k.Credential.Rotation(v)
}

// TimeFromMillis is a time as B2 tells it, in milliseconds since 1970; zero: it does not.
func TimeFromMillis(v cty.Value) time.Time {
	if v.IsNull() || !v.IsKnown() {
		return time.Time{}
	}
	ms, _ := v.AsBigFloat().Int64()
	return time.UnixMilli(ms).UTC()
}

// ExpiryOf is when a live object ends by itself; zero: never, or nobody can say.
func (k *Kind) ExpiryOf(live AttrReader) (expiresOrZero time.Time) {
	if k.Credential == nil || live.IsNull() {
		return time.Time{}
	}
	return TimeFromMillis(live.GetAttr(k.Credential.ExpiryAttr))
}

// stampLayout is the time in a stamped name, in UTC: letters, digits and dashes
// are all that a key's name may hold.
const stampLayout = "20060102T150405Z"

// timestampLength is by how much a stamp lengthens a name.
const timestampLength = 1 + len(stampLayout)

// TimestampedName is the name under which an object of a rotation lives: its declared
// name and when it was made, to the second. So the account alone tells how old
// it is and which one is the newest.
func TimestampedName(name string, made time.Time) string {
	return name + "-" + made.UTC().Format(stampLayout)
}

// ParseTimestampedName takes a live name apart; ok is false where it carries no stamp.
func ParseTimestampedName(live string) (name string, made time.Time, ok bool) {
	at := len(live) - timestampLength
	if at < 1 || live[at] != '-' {
		return live, time.Time{}, false
	}
	made, err := time.Parse(stampLayout, live[at+1:])
	if err != nil {
		return live, time.Time{}, false
	}
	return live[:at], made, true
}
