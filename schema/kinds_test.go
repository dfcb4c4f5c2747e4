package schema_test

import (
	"testing"

	"b2form/schema"
	"b2form/schema/kind"
)

func TestDescriptorsAreSound(t *testing.T) {
	if err := kind.ValidateKinds(schema.Kinds()); err != nil {
		t.Error(err)
	}
}
