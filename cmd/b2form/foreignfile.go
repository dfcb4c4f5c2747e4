package main

import (
	"slices"

	"b2form/internal/secret"
	"b2form/plan"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// findForeignFiles finds what is in the place of delivered files, and that nothing tells to be b2form's: the state records no
// delivery to it, and it holds no key that is ours.
func (s *session) findForeignFiles() {
	keyIDs, recordsFileOf := s.ownRemoteIDs(), plan.RecordsFileOf(s.state.Entries)
	s.isForeign = func(d config.Delivery) bool { return !recordsFileOf(&d) && secret.ReplacesFile(d, keyIDs) }
	s.foreignFiles = map[string]bool{}
	for _, r := range s.config.Resources {
		for i := range r.Deliveries {
			if d := &r.Deliveries[i]; d.Path != "" && s.isForeign(*d) {
				s.foreignFiles[d.Path] = true
			}
		}
	}
}

// mayReplaceFile reports whether a delivery of the plan may replace the file in its place: the plan names it, or it is ours.
func (s *session) mayReplaceFile(d config.Delivery) bool {
	return s.foreignFiles[d.Path] || !s.isForeign(d)
}

// ownRemoteIDs are those that the state records, and those that have appeared since it announced them.
func (s *session) ownRemoteIDs() []string {
	var ids []string
	for i := range s.state.Entries {
		ids = slices.AppendSeq(ids, s.state.Entries[i].IDs())
	}
	for i := range s.state.OpenIntents {
		intent := &s.state.OpenIntents[i]
		k := kind.FindKind(s.kinds, intent.Addr.Kind)
		if k == nil {
			continue
		}
		for _, o := range s.snapshot.ByIdentity(k, k.NormalizeIdentity(intent.Identity)) {
			if !slices.Contains(intent.KnownIDs, o.ID) {
				ids = append(ids, o.ID)
			}
		}
	}
	return ids
}
