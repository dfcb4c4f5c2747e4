package kind

import (
	"context"
	"time"

	"b2form/schema/wire"
)

// DestroyBehavior is what destroying an object comes to.
type DestroyBehavior struct {
	// ForceAttr is the attribute of type bool by which an object goes with everything it
	// holds; "": there is none.
	ForceAttr string
	// ForcedDestroyCapabilities is what that takes, in place of Verbs.DeleteCapability.
	ForcedDestroyCapabilities []string
	// LeftBehindText says in words what is left of an object that is deleted without force.
	// "": nothing.
	LeftBehindText string
	// Hazards says what destroying the object may cost, with everything it holds or
	// without, and where another one takes its place or none does. May be nil.
	Hazards func(force, replaced bool) []Hazard
	// CountContents counts what an object with the remote ID holds that goes with it by force,
	// up to so many versions, and says which are locked now, by B2's clock. Set where ForceAttr is.
	CountContents func(ctx context.Context, api wire.API, id string, most int, now time.Time) (wire.ContentsCount, error)
	// CountCapability is what CountContents takes.
	CountCapability string
	// CheckDelete says why a live object is not deleted in any case; nil: it may be. nil: every one may.
	CheckDelete func(live map[string]any) *wire.ExplainedError
	// NotEmptyError is the refusal to delete an object without force while it holds what the text tells. nil: that
	// is no obstacle.
	NotEmptyError func(holds string) *wire.ExplainedError
	// IsHarmlessIfGone says that deleting by the remote ID alone, without force, deletes nothing but the object, and is
	// no error where that is gone.
	IsHarmlessIfGone bool
}
