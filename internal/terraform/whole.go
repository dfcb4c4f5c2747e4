package terraform

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// isWhole reports whether a reference names an item and nothing in it.
func isWhole(t hcl.Traversal) bool {
	return len(t) == 2 || len(t) == 3 && t.RootName() == "data"
}

// standsInWhole reports whether a variable can stand in for all instances of an item that stays.
func (it *item) standsInWhole() bool {
	return it.localAttr == nil && it.fate == staysInTerraform && (it.block.Type == "resource" || it.block.Type == "data") &&
		it.kind == nil && isRepeated(it) && !isOfUnknownOrigin(it.block.Labels[0])
}

// addWholeSubstitute notes a variable for all instances of an item and gives its name.
func (r *rewriter) addWholeSubstitute(it *item, at hcl.Range) string {
	return r.mod.addSubstitute(identifierFrom(it.referenceName), &substituteVariable{replacedItem: it, referencePath: it.referenceName,
		members: map[string]bool{}, where: r.it.file.place(at, it.referenceName, "")})
}

// memberOfStanding notes what is read of an instance of an item that a variable stands in for. Secrets are not: of what is
// sensitive no keys can be made.
func (r *rewriter) memberOfStanding(it *item, rest hcl.Traversal, u expressionUse, at hcl.Range) {
	names := leadingMemberNames(rest[:min(len(rest), 1)])
	if len(names) > 0 && !r.goesToLink(u) {
		one := &substituteVariable{replacedItem: it, referencePath: it.referenceName, attrPath: names, toSecret: r.goesToSecret()}
		if _, secret := r.m.state.valuesByModuleAddress(r.m, one); !secret {
			r.mod.substitutes[r.addWholeSubstitute(it, at)].members[names[0]] = true
			return
		}
	}
	r.refuse(at, "It refers to "+it.title()+", which stays in Terraform, as a whole. Name one of its attributes, by the key of the "+
		"instance.")
}

// valueIn is what an instance has for a variable; false: nothing.
func (s *substituteVariable) valueIn(i *stateInstance) (v cty.Value, found bool) {
	if s.members == nil {
		return i.value(s.attrPath)
	}
	members := map[string]cty.Value{}
	for name := range s.members {
		if v, found = i.value([]string{name}); !found {
			v = cty.NullVal(cty.DynamicPseudoType)
		}
		members[name] = v
	}
	return cty.ObjectVal(members), true
}
