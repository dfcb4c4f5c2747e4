package config

import "slices"

// An IdentityIndex finds declared resources by what identifies their objects. Where B2
// lets several objects share a name, blocks may, and each is found by its address.
type IdentityIndex map[objectIdentity][]*Resource

type objectIdentity struct{ kindName, value string }

// NewIdentityIndex indexes resources.
func NewIdentityIndex(list []*Resource) IdentityIndex {
	x := make(IdentityIndex, len(list))
	for _, r := range list {
		x.Add(r)
	}
	return x
}

// Add adds a resource, and gives back one that has its identity already, the first that
// was added. One without an identity is passed over.
func (x IdentityIndex) Add(r *Resource) (firstWithIdentity *Resource) {
	id := objectIdentity{r.Kind.Name, r.Identity()}
	if id.value == "" {
		return nil
	}
	same := x[id]
	x[id] = append(same, r)
	if len(same) == 0 {
		return nil
	}
	if r.Kind.NamesRepeat {
		for _, r := range x[id][max(0, len(same)-1):] {
			x[objectIdentity{r.Kind.Name, r.Addr.String()}] = []*Resource{r}
		}
	}
	return same[0]
}

// FindUnique is the resource of a kind with the identity, in its normal form, or with the
// address that Reference gives; nil: there is none, or several have the identity.
func (x IdentityIndex) FindUnique(kindName, identityOrAddress string) *Resource {
	if found := x[objectIdentity{kindName, identityOrAddress}]; len(found) == 1 {
		return found[0]
	}
	return nil
}

// AllWithIdentity lists the resources of a kind that have an identity, in the order in which they
// were added.
func (x IdentityIndex) AllWithIdentity(kindName, normalizedIdentity string) []*Resource {
	return x[objectIdentity{kindName, normalizedIdentity}]
}

// IdentityOrAddress is the text by which others refer to a resource: its name, or its address
// where several have that.
func (x IdentityIndex) IdentityOrAddress(r *Resource) string {
	if same := x[objectIdentity{r.Kind.Name, r.Identity()}]; len(same) > 1 && slices.Contains(same, r) {
		return r.Addr.String()
	}
	return r.Identity()
}
