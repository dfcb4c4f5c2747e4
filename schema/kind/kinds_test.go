package kind_test

import (
	"slices"
	"testing"

	"b2form/schema"
	"b2form/schema/kind"
)

func TestDescriptorsAreSound(t *testing.T) {
	kinds := schema.Kinds()
	if err := kind.ValidateKinds(kinds); err != nil {
		t.Error(err)
	}
	slices.Reverse(kinds)
	if kind.ValidateKinds(kinds) == nil {
		t.Error("parts of buckets may stand before buckets")
	}
}
