package config

// An IdentityIndex finds declared resources by what identifies their objects.
type IdentityIndex map[identity]*Resource

type identity struct{ kind, value string }

// NewIdentityIndex indexes resources, none of which share an identity.
func NewIdentityIndex(list []*Resource) IdentityIndex {
	x := make(IdentityIndex, len(list))
	for _, r := range list {
		x.Add(r)
	}
	return x
}

// Add adds a resource, unless another one has its identity; that is given back. One
// without an identity is passed over.
func (x IdentityIndex) Add(r *Resource) (other *Resource) {
	id := identity{r.Kind.Name, r.Identity()}
	if id.value == "" {
		return nil
	}
	if other := x[id]; other != nil {
		return other
	}
	x[id] = r
	return nil
}

// Find is the resource of a kind with the identity, in its normal form; nil: there is
// none.
func (x IdentityIndex) Find(kind, normalized string) *Resource { return x[identity{kind, normalized}] }
