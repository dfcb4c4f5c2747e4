package plan_test

import (
	"testing"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// An attribute with a default that is new to a descriptor changes no plan of objects
// that are live without it, as every B2 answers them that does not know it; and one
// that is declared otherwise shows.
func TestNewAttributeIsNoDrift(t *testing.T) {
	for name, always := range map[string]bool{"answered where set": false, "always answered": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			live := w.declare(w.bucket, "photos", map[string]cty.Value{"name": cty.StringVal("acme-photos")})
			w.live(live, "id-acme-photos")
			w.own(live, "id-acme-photos")
			w.bucket.Attrs = append(w.bucket.Attrs,
				kind.Attr{Name: "archived", WirePath: "isArchived", Type: cty.Bool, Default: cty.False,
					Encoding: kind.Encoding{AbsentIsNull: always}})
			for declared, changes := range map[bool]int{false: 0, true: 1} {
				w.config.Resources = nil
				w.declare(w.bucket, "photos", map[string]cty.Value{"name": cty.StringVal("acme-photos"), "archived": cty.BoolVal(declared)})
				if always {
					changes = 1
				}
				if n := len(w.plan().Changes); n != changes {
					t.Errorf("declared %v: %d changes, want %d", declared, n, changes)
				}
			}
		})
	}
}
