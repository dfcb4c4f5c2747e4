package main

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/state"
	"b2form/schema"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// loadHidingSensitive loads the configuration for the session. What its blocks, or the state, call sensitive is so too where a data
// block reads the object. Blocks that only exist by what data answers are known after that, so it may be evaluated again.
func (s *session) loadHidingSensitive(o schema.Options) (warnings hcl.Diagnostics, err error) {
	for range mostDataRounds {
		sensitive := sensitiveLiveAttrs(s.config, s.state)
		o.SensitiveLiveAttrs = sensitive.of
		config, diags := schema.Load(o)
		s.sourceFiles = config.Files
		if diags.HasErrors() {
			return nil, diags
		}
		s.config = config
		if maps.EqualFunc(sensitive, sensitiveLiveAttrs(s.config, s.state), slices.Equal) {
			return diags, nil
		}
	}
	return nil, errDataNeverEnds()
}

// A sensitiveAttrsByObject lists the attributes of objects that nothing may show.
type sensitiveAttrsByObject map[sensitiveObject][]string

// A sensitiveObject is an object by its remote ID, or one with an identity.
type sensitiveObject struct{ kindName, id, identity string }

// sensitiveLiveAttrs is what a configuration or a state, where there is one, calls sensitive.
func sensitiveLiveAttrs(c *config.Config, st *state.State) sensitiveAttrsByObject {
	byObject := sensitiveAttrsByObject{}
	for _, r := range c.Resources {
		if len(r.SensitiveAttrs) > 0 {
			named := sensitiveObject{kindName: r.Kind.Name, identity: r.Identity()}
			byObject[named] = slices.Concat(byObject[named], r.SensitiveAttrs) // others may have the name too
		}
	}
	if st != nil {
		for i := range st.Entries {
			if e := &st.Entries[i]; len(e.SensitiveAttrs) > 0 {
				byObject[sensitiveObject{kindName: e.Addr.Kind, id: e.ID}] = e.SensitiveAttrs
			}
		}
	}
	return byObject
}

// of lists those of one live object.
func (s sensitiveAttrsByObject) of(o *kind.Object) []string {
	if len(s) == 0 {
		return nil
	}
	name := o.Kind.Name
	base, _, _ := kind.ParseTimestampedName(o.Identity)
	return slices.Concat(s[sensitiveObject{name, o.ID, ""}], s[sensitiveObject{name, "", o.Identity}], s[sensitiveObject{name, "", base}])
}
