package syntax

import (
	"slices"

	"b2form/schema/config"
	"b2form/schema/kind"
)

func hazardFlags() []string {
	var out []string
	for _, h := range kind.HazardKinds() {
		out = append(out, h.Flag())
	}
	return out
}

func deniable() []string {
	wide, unusable := kind.DeniableRules()
	return texts(slices.Concat(wide, unusable))
}

func ignorable() []string {
	_, unusable := kind.DeniableRules()
	return texts(unusable)
}

func texts(rules []kind.Rule) []string {
	var out []string
	for _, r := range rules {
		out = append(out, string(r))
	}
	return out
}

var settings = Block{
	Type: "b2form", RootOnlyReason: "Settings hold for all of a configuration.", Once: true,
	Doc: "Settings. All of them, and the block itself, may be left out.",
	TerraformNote: "It is the `terraform` block; there are no `required_providers`. Credentials come from the environment variables " +
		"`B2_APPLICATION_KEY_ID` and `B2_APPLICATION_KEY`, so there is no `provider` block.",
	Arguments: []Argument{
		{Name: "required_version", Type: Text, Sees: Settings, Doc: "Versions of b2form that can be used: `\">= 1.2\"`, `\"~> 1.4\"`."},
		{Name: "account_id", Type: Text, Sees: Settings, Doc: "Refuse the credentials of any other account."},
		{Name: "allow", Type: Texts, Sees: Settings, Choices: hazardFlags(),
			Doc: "Hazards that `-auto-approve` carries out. A plan shows which hazards a change has."},
		{Name: "deny", Type: Texts, Sees: Settings, Choices: deniable(),
			Doc: "Access that is wider than it should be, or of no use to most programs: an error in every plan. [Keys](../keys.md) says " +
				"what each rule finds."},
		{Name: "ignore", Type: Texts, Sees: Settings, Choices: ignorable(),
			Doc: "Rules whose warnings are not wanted, because the programs are known to work."},
	},
	Blocks: append([]Block{{
		Type: "limits", Once: true, Doc: "How much a run may do without anybody looking: `apply -auto-approve` refuses a plan with more, " +
			"and `plan` warns of it. At a prompt, whoever answers has looked; `-expect` approves too, and `-allow-over=destroy` lets one " +
			"run do more. Each limit is a number of objects, or a share of those that the state records, as `\"10%\"`; where it records " +
			"fewer than ten, a share does not count.",
		Arguments: []Argument{
			{Name: "destroy", Type: Share, Sees: Settings,
				Doc: "So many objects at most are destroyed or replaced. The command `destroy` " +
					"is consent to more."},
			{Name: "update", Type: Share, Sees: Settings, Doc: "So many objects at most are updated in place."},
			{Name: "replace", Type: Share, Sees: Settings, Doc: "So many objects at most are replaced. A rotation is none."},
		},
	}}, backends...),
	Hints: []Hint{
		{"required_providers", "Terraform block", "b2form has no providers. Delete required_providers."},
		{"cloud", "Terraform block", "b2form keeps its state in a file or in a bucket. Write backend \"b2\" { bucket = \"acme-states\" " +
			"} instead of cloud."},
	},
	Example: `b2form {
  required_version = ">= 0.1"
  account_id       = "2039f49f5ead"
  allow            = ["deletes-data"]
  deny             = ["all-buckets-write"]
  limits {
    destroy = 3
    update  = "20%"
  }
  backend "local" {
    path = "states/production.json"
  }
}

bucket "photos" {
  name = "acme-photos"
}
`,
}

const backendAbout = "Where the state is kept; there is at most one `backend`. [State](../state.md) says what it holds and what it " +
	"needs. A backend cannot depend on resources: the state is read before them."

var backends = []Block{
	{
		Type: "backend", Form: "local", Once: true, CommonDoc: backendAbout, Doc: "A file on this machine.",
		Arguments: []Argument{{Name: "path", Type: Text, Sees: Settings, Default: `"b2form.state.json"`,
			Doc: "The file, relative to the configuration's folder."}},
	},
	{
		Type: "backend", Form: "b2", Once: true, CommonDoc: backendAbout,
		Doc: "A bucket, for runs on several machines. `b2form state init` makes it.",
		Arguments: []Argument{
			{Name: "bucket", Type: Text, Sees: Settings, Required: true, Doc: "The bucket's name."},
			{Name: "prefix", Type: Text, Sees: Settings, Default: `"` + config.DefaultPrefix + `"`,
				Doc: "What the names of the state's objects begin with. Each state in a bucket has a prefix of its own."},
		},
	},
}
