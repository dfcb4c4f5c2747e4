package syntax

import "b2form/schema/kind"

// FixedTopLevelBlocks lists the blocks of the top level that are no resources and no data, in
// the order in which they are documented.
func FixedTopLevelBlocks() []*BlockSpec {
	return []*BlockSpec{&variable, &locals, &output, &module, &checkBlock, &policy, &imports, &moved, &removed, &settings}
}

// TerraformBlockHints lists blocks of Terraform's top level that b2form does not have, with
// what to do instead.
func TerraformBlockHints() []Hint {
	return []Hint{
		{"terraform", "Terraform block", "b2form has no terraform block. Delete it; required_version and where the state is kept go " +
			"into a b2form block."},
		{"provider", "Terraform block", "b2form has no provider block. Delete it; the credentials come from the environment variables " +
			"B2_APPLICATION_KEY_ID and B2_APPLICATION_KEY."},
		{"ephemeral", "Terraform block", "b2form has no ephemeral blocks. The secret of a key goes where its deliver blocks say and is " +
			"stored nowhere else."},
		{"action", "Terraform block", "b2form has no actions. What a program should do with a new key goes into a deliver \"command\" " +
			"block."},
	}
}

// FindFixedBlock finds a block of the top level by its type; nil: there is none.
func FindFixedBlock(typ string) *BlockSpec {
	for _, b := range FixedTopLevelBlocks() {
		if b.Type == typ {
			return b
		}
	}
	return nil
}

// MetaArgumentNames lists the arguments that every resource takes.
func MetaArgumentNames() []string {
	var out []string
	for _, a := range resource.Arguments {
		out = append(out, a.Name)
	}
	return out
}

// ResourceBlock is what every resource takes beside the attributes of its kind. Its
// deliver blocks belong only to kinds that deliver.
func ResourceBlock() *BlockSpec { return &resource }

// NonResourceBlocks lists every block of the top level that is no resource.
func NonResourceBlocks(kinds []*kind.Kind) []*BlockSpec {
	out := FixedTopLevelBlocks()
	data := DataBlocks(kinds)
	for i := range data {
		out = append(out, &data[i])
	}
	return out
}
