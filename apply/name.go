package apply

import (
	"strconv"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// idLookup resolves the names in a change on their way to the wire.
func (r *runner) idLookup(c *plan.Change) func(by *kind.Attr, name string) (id string, err error) {
	return func(by *kind.Attr, name string) (string, error) {
		if id := r.findID(by, name); id != "" {
			return id, nil
		}
		shown := strconv.Quote(name)
		if len(c.Sensitive) > 0 {
			shown = kind.SensitiveText
		}
		return "", wire.Explainedf(words.CapitalizeUnlessName(by.Link.RefKind)+" not found",
			"There is no %s %s in the account. Declare it, or correct the name.", by.Link.RefKind, shown)
	}
}

// findID is the ID that a name in an attribute stands for: that of the declared
// object, the text itself where it is an ID, or that of what is live under the
// name; "": nothing.
func (r *runner) findID(by *kind.Attr, name string) (id string) {
	k := r.kinds[by.Link.RefKind]
	if by.Link.IsRemoteID == nil {
		return r.findFirstLiveID(by.Link.RefKind, name)
	}
	r.indexOnce.Do(func() { r.identityIndex = config.NewIdentityIndex(r.Config.Resources) })
	declared := r.identityIndex.FindUnique(k.Name, k.NormalizeIdentity(name))
	if declared != nil {
		if e, ours := r.State.Entry(declared.Addr); ours {
			return e.ID
		}
	}
	if declared == nil && by.Link.IsRemoteID(name) {
		return name
	}
	return r.findFirstLiveID(by.Link.RefKind, name)
}

// withNamesForIDs is a live object of a change in which IDs have given way to the names of
// the change that stand for them.
func (r *runner) withNamesForIDs(c *plan.Change, live kind.Values) cty.Value {
	for _, i := range c.Kind.DeferredLinkIndices() {
		a := &c.Kind.Attrs[i]
		names := map[string]string{}
		for _, m := range a.References(c.After.GetAttr(a.Name)) {
			names[r.findID(m.Attr, m.Name)] = m.Name
		}
		v := a.MapPossibleIDs(*live.PointerAt(i), func(_ *kind.Attr, id string) string {
			if name := names[id]; name != "" {
				return name
			}
			return id
		})
		live = live.Clone()
		live.SetAt(i, &v)
	}
	return live.ObjectWithoutUnset()
}

// findFirstLiveID finds the ID of what has a name; "": nothing has it.
func (r *runner) findFirstLiveID(kindName, name string) string {
	k := r.kinds[kindName]
	for _, id := range r.Snapshot.IDsOf(k, k.NormalizeIdentity(name)) {
		return id
	}
	return ""
}
