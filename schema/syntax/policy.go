package syntax

// PolicyLevels are what breaking a policy may be.
func PolicyLevels() []string { return []string{"error", "warning"} }

var policy = BlockSpec{
	Type: "policy", FurtherLabelNames: nameLabel, RootOnlyReason: "A policy holds for all of a configuration.",
	Doc: "A rule over what is planned. Each resource of its `kinds` for which `when` holds must fulfil `require`. What needs nothing " +
		"live is checked by `validate` too, everything by `plan` and whatever else makes a plan. [Policies](../policies.md) says what " +
		"the expressions see, how policies come from folders that a configuration cannot switch off, and how exceptions are written.",
	TerraformNote: "Terraform has no policies of its own; those of Sentinel and OPA can check `plan -json`.",
	Arguments: []ArgumentSpec{
		{Name: "kinds", Type: Texts, MayReferTo: Constant, Required: true, Doc: "The kinds of resources that it is about, such as " +
			"`[\"bucket\", \"key\"]`."},
		{Name: "when", Type: Bool, MayReferTo: PolicyScope, Default: "true", Doc: "Which of them it is about."},
		{Name: "require", Type: Bool, MayReferTo: PolicyScope, Required: true, Doc: "What must be true of each."},
		{Name: "message", Type: Text, MayReferTo: PolicyScope, Required: true,
			Doc: "What is said where it is not. It is left out where it " +
				"would show a sensitive value."},
		{Name: "level", Type: Text, MayReferTo: Constant, Default: `"error"`, Choices: PolicyLevels(),
			Doc: "What breaking it is: an error " +
				"stops the plan."},
		{Name: "exceptions", Type: Bool, MayReferTo: Constant, Default: "true", Doc: "With false, no resource may be excepted by " +
			"`policy_exceptions`."},
	},
	Example: `policy "keys_expire" {
  kinds   = ["key"]
  when    = !startswith(each.value.name, "ci-")
  require = each.value.valid_duration != null
  message = "Key ${each.value.name} never expires."
}

key "photos" {
  name           = "photos"
  access         = "read_write"
  valid_duration = "90d"

  deliver "file" {
    path = "photos.env"
  }
}

key "legacy" {
  name              = "legacy"
  access            = "read_only"
  policy_exceptions = { keys_expire = "its camera cannot take a new key before June" }

  deliver "file" {
    path = "legacy.env"
  }
}
`,
}
