package syntax

var imports = BlockSpec{
	Type: "import", RootOnlyReason: "To import something of a module, write to = module.NAME.bucket.photos there.",
	Doc: "Takes over something that exists. What exists under a declared name is never taken over silently: without an import block the " +
		"plan says that it will be imported, and `apply` asks; with `-auto-approve` it needs this block, or `-adopt`. " +
		"Neither is consent to destroy it in the same run, where the block declares another key: that needs " +
		"`-allow=revokes-access`.",
	TerraformNote: "`id` may be the name. There is no `provider`.",
	Arguments: []ArgumentSpec{
		{Name: "to", Type: Address, MayReferTo: NotEvaluated, Required: true, Doc: "The address of a declared resource: `bucket.photos`, " +
			"`bucket.logs[\"edge\"]`, `module.site.bucket.photos`. Every key in it may be an expression, with `for_each` such as " +
			"`each.key`: `module.site[each.key].bucket.photos`."},
		{Name: "id", Type: Text, MayReferTo: Instance, Doc: "The name, or B2's ID, of what exists. Exactly one of `id` and `ids` is " +
			"given. Of a file it is the bucket, a slash and the name: `acme-site/index.html`; of notification rules the bucket."},
		{Name: "ids", Type: Texts, MayReferTo: Instance, Doc: "For a key with a `rotate` block, instead of `id`: every live key of that " +
			"name, also those with a time behind it. The newest is current; the others are deleted when their overlap has ended."},
		{Name: "for_each", Type: Collection, MayReferTo: AllButComputed, Doc: "One import for each element."},
	},
	Hints: []Hint{{"provider", "Terraform argument", "b2form has no provider here. Delete it."}},
	Example: `import {
  to = bucket.old
  id = "acme-old" # the name, or the ID, of what exists
}

bucket "old" {
  name = "acme-old"
}
`,
}

var moved = BlockSpec{
	Type: "moved",
	Doc: "A block that got another label, another instance key or another module keeps its object. Without instance keys, all instances " +
		"move and keep theirs; `bucket.logs[0]` to `bucket.logs[\"edge\"]` moves one. Whole modules move with `from = module.old` and " +
		"`to = module.new`. The plan says `bucket.photos has moved to bucket.pictures`; nothing happens in B2. Chains are followed, so " +
		"a moved block may stay for those whose state is older. What gets a count, or loses it, needs none: `bucket.photos` and " +
		"`bucket.photos[0]` are one.",
	Arguments: []ArgumentSpec{
		{Name: "from", Type: Address, MayReferTo: NotEvaluated, Required: true,
			Doc: "The address before. Keys in it may come from variables " +
				"and local values."},
		{Name: "to", Type: Address, MayReferTo: NotEvaluated, Required: true, Doc: "The address now. Its keys may too."},
	},
	Example: `moved {
  from = bucket.photos
  to   = bucket.pictures
}

bucket "pictures" {
  name = "acme-pictures"
}
`,
}

var removed = BlockSpec{
	Type: "removed",
	Doc: "A block that is deleted takes its object along, unless a removed block says that nobody manages it here any more. With " +
		"`destroy = true` the object is destroyed, as without the block, but also where the state remembers `prevent_destroy`. With " +
		"`force_destroy = true` as well a bucket goes with all files in it, and a file with all its versions; the plan says how many " +
		"and how large they are, counted up to 10 000 versions.\n\n" +
		"What belongs to the address besides goes the same way: predecessors of a key in their overlap, and what an interrupted run " +
		"made and did not record. The plan names all of it by ID, as destroyed or as what stays in B2. What only an announcement of an " +
		"interrupted run shows to be b2form's is destroyed after an approval that shows it, not by `-auto-approve` alone. Afterwards " +
		"the state holds nothing of the address. Where several blocks speak of an object, the one that names the least beside it counts: " +
		"an instance before its resource, that before its module.",
	TerraformNote: "`destroy` stands directly in the block, and false is what leaving it out means.",
	Arguments: []ArgumentSpec{
		{Name: "from", Type: Address, MayReferTo: NotEvaluated, Required: true,
			Doc: "What was declared: `bucket.photos`, `key.app[\"x\"]`, " +
				"`module.site`. Keys in it may come from variables and local values."},
		{Name: "destroy", Type: Bool, MayReferTo: VariablesAndLocals, Default: "false", Doc: "Whether the object is destroyed."},
		{Name: "force_destroy", Type: Bool, MayReferTo: VariablesAndLocals,
			Doc: "With `destroy = true`, whether a bucket or file goes with every " +
				"version in it. Left out, as the block said when it was applied last."},
	},
	Hints: []Hint{{"lifecycle", "Terraform block", "Write destroy = true or false directly in the block, without lifecycle { }. Left " +
		"out, it is false."}},
	Example: `removed {
  from = bucket.photos
}

bucket "pictures" {
  name = "acme-pictures"
}
`,
}
