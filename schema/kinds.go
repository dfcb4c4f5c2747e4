package schema

import (
	"b2form/schema/bucket"
	"b2form/schema/file"
	"b2form/schema/key"
	"b2form/schema/kind"
	"b2form/schema/notification"
)

// Kinds lists the kinds of resources. What a configuration refers to stands
// before what refers to it.
func Kinds() []*kind.Kind {
	return []*kind.Kind{
		bucket.Kind(),
		key.Kind(),
		notification.Kind(),
		file.Kind(),
	}
}
