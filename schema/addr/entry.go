package addr

import (
	"iter"
	"slices"
	"strings"
	"time"
)

// A StateEntry is what the state records of one owned object: never a setting,
// never a secret.
type StateEntry struct {
	Addr     Addr   `json:"address"`
	Identity string `json:"identity"` // as last seen, to find it again
	ID       string `json:"id"`
	// Retiring are earlier objects that this one replaced and that are still to
	// be deleted.
	Retiring       []RetiringObject `json:"retiring,omitempty"`
	Created        time.Time        `json:"created,omitzero"`
	Adopted        time.Time        `json:"adopted,omitzero"` // zero: made by b2form
	Delivered      bool             `json:"delivered,omitempty"`
	DeliveryDigest string           `json:"delivery,omitempty"` // digest of the deliveries carried out
	// PreventDestroy is remembered so that removing a protected block does not
	// remove its protection.
	PreventDestroy bool `json:"prevent_destroy,omitempty"`
	// ForceDestroy is remembered so that an object whose block is gone can still be
	// destroyed with everything it holds. A state of format version 2 has none.
	ForceDestroy bool `json:"force_destroy,omitempty"`
	// SensitiveAttrs are the attributes made from sensitive values; sorted. They are
	// remembered so that a plan does not show what is live when the block is gone.
	SensitiveAttrs []string `json:"sensitive,omitempty"`
	// DriftDigests stand for the object and its configuration when the last run ended. A state of format
	// version 3 has none.
	DriftDigests DriftDigests `json:"digests,omitempty"`
	// Updated is when b2form changed the object last; zero: never. A state of format version 4 has none.
	Updated time.Time `json:"updated,omitzero"`
}

// IDs are those of the object, "" where it is not known, and of the earlier ones that it replaced.
func (e *StateEntry) IDs() iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(e.ID) {
			return
		}
		for _, old := range e.Retiring {
			if !yield(old.ID) {
				return
			}
		}
	}
}

// listingsMayLagFor is how long B2 may show in its listings what was there before a change: "some changes to app keys may take a
// few minutes" ("Create and Manage App Keys").
const listingsMayLagFor = 2 * time.Minute

// MayBeUnlisted reports whether the object was made or adopted so little before now that a listing may not show
// it yet.
func (e *StateEntry) MayBeUnlisted(now time.Time) bool {
	return e.ID != "" && (isRecent(e.Created, now) || isRecent(e.Adopted, now))
}

// MayBeShownAsBefore reports whether b2form changed the object so little before now that B2 may still show it as it was
// before that.
func (e *StateEntry) MayBeShownAsBefore(now time.Time) bool { return isRecent(e.Updated, now) }

func isRecent(at, now time.Time) bool { return now.Sub(at).Abs() < listingsMayLagFor }

// A RetiringObject is an object that has a successor.
type RetiringObject struct {
	ID string `json:"id"`
	// Name is what ID was called when it was recorded. It is deleted only while it is
	// still called so. A state of format version 1 has none.
	Name      string    `json:"name,omitempty"`
	KeepUntil time.Time `json:"until,omitzero"` // its users may need it so long; zero: no longer
	// KeptUntilRenewal says that nobody knows whether its users ever got its successor. It
	// lives until that is renewed, and then for the overlap.
	KeptUntilRenewal bool `json:"kept,omitempty"`
}

// SortRetiring sorts a list by ID, in place.
func SortRetiring(list []RetiringObject) []RetiringObject {
	slices.SortFunc(list, func(a, b RetiringObject) int { return strings.Compare(a.ID, b.ID) })
	return list
}
