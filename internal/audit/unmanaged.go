package audit

import (
	"cmp"
	"slices"
	"strings"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// An UnmanagedObject is a live object that neither a state knows nor the configuration declares.
type UnmanagedObject struct {
	Kind     *kind.Kind
	ID, Name string
}

// A ManagedCount is how many of a kind's live objects are managed.
type ManagedCount struct {
	Kind                                  *kind.Kind
	Managed, TotalWithoutIgnored, Ignored int
}

// FindUnmanagedTopLevel goes through every live object that is part of no other. An entry without ID stands
// for an announced create. What B2 makes for itself does not count, nor the bucket that holds the
// state or another one, nor what ignored says. Sorted by kind, then by name and ID. An error means that B2's
// answer cannot be read.
func FindUnmanagedTopLevel(o Request, ignored func(k *kind.Kind, name string) bool) (list []UnmanagedObject, coverage []ManagedCount,
	err error) {
	stateBuckets := slices.Clone(o.OtherStateBuckets)
	if b := o.Config.Settings.Backend; b.Type == "b2" {
		stateBuckets = append(stateBuckets, b.Arguments["bucket"])
	}
	w := managedIndex{Request: o, ids: map[objectKey]bool{}, identitiesWithoutID: map[objectKey]bool{}}
	w.collectManaged()
	for _, k := range o.Kinds {
		if k.ParentKind() != "" || !o.Snapshot.WasReadAtAll(k) {
			continue
		}
		c := ManagedCount{Kind: k}
		objects := slices.Clone(o.Snapshot.AllRead(k))
		slices.SortFunc(objects, func(a, b *kind.Object) int {
			return cmp.Or(strings.Compare(a.Identity, b.Identity), strings.Compare(a.ID, b.ID))
		})
		for _, object := range objects {
			own, err := isMadeByB2(object)
			if err != nil {
				return nil, nil, err
			}
			managed := w.isManaged(object)
			switch {
			case managed:
				c.Managed, c.TotalWithoutIgnored = c.Managed+1, c.TotalWithoutIgnored+1
			case own || k.Name == "bucket" && slices.Contains(stateBuckets, object.Identity):
			case ignored(k, object.Identity):
				c.Ignored++
			default:
				c.TotalWithoutIgnored++
				list = append(list, UnmanagedObject{k, object.ID, object.Identity})
			}
		}
		coverage = append(coverage, c)
	}
	return list, coverage, nil
}

// isMadeByB2 reports whether B2 makes objects of this sort itself: buckets for snapshots and for
// reports have a type that nobody can set.
func isMadeByB2(o *kind.Object) (bool, error) {
	if o.Kind.Name != "bucket" {
		return false, nil
	}
	v, err := o.Value()
	if err != nil {
		return false, err
	}
	t := v.GetAttr("type").AsString()
	return t != "allPrivate" && t != "allPublic", nil
}

type objectKey struct{ kind, idOrIdentity string }

// A managedIndex knows what is managed: by ID, or by name where nothing ties that to an ID yet.
type managedIndex struct {
	Request
	ids, identitiesWithoutID map[objectKey]bool
}

func (w *managedIndex) collectManaged() {
	tied := map[addr.Addr]bool{}
	for _, e := range w.Entries {
		tied[e.Addr] = e.ID != ""
	}
	for _, e := range slices.Concat(w.Entries, w.OtherEntries) {
		if e.ID == "" {
			w.identitiesWithoutID[objectKey{e.Addr.Kind, e.Identity}] = true
			continue
		}
		for id := range e.IDs() {
			w.ids[objectKey{e.Addr.Kind, id}] = true
		}
	}
	imported := map[addr.Addr]*config.Import{}
	for i := range w.Config.Imports {
		imported[w.Config.Imports[i].To] = &w.Config.Imports[i]
	}
	for _, r := range w.Config.Resources {
		if r.Kind.ParentKind() != "" || tied[r.Addr] || !r.Value.GetAttr(r.Kind.IdentityAttr).IsWhollyKnown() {
			continue
		}
		imp := imported[r.Addr]
		for _, o := range w.Snapshot.AllRead(r.Kind) {
			if imp == nil && r.MatchesIdentityIgnoringTimestamp(o.Identity) || imp != nil && imp.Matches(r.Kind, o.ID, o.Identity) {
				w.ids[objectKey{r.Kind.Name, o.ID}] = true
			}
		}
	}
}

func (w *managedIndex) isManaged(o *kind.Object) bool {
	return w.ids[objectKey{o.Kind.Name, o.ID}] || w.identitiesWithoutID[objectKey{o.Kind.Name, o.Identity}]
}
