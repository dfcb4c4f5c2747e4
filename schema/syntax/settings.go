package syntax

import (
	"slices"
	"strings"

	"b2form/schema/config"
	"b2form/schema/kind"
)

func allowFlagValues() []string {
	var out []string
	for _, h := range kind.HazardKinds() {
		out = append(out, h.AllowFlagValue())
	}
	return out
}

// HazardNames are the hazards that -auto-approve alone does not carry out, or the others, as -allow spells them.
func HazardNames(needAllow bool) []string {
	var names []string
	for _, h := range kind.HazardKinds() {
		if h.NeedsAllow() == needAllow {
			names = append(names, h.AllowFlagValue())
		}
	}
	return names
}

// codeNames are names as text of a page.
func codeNames(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }

func deniableRules() []string {
	wide, unusable := kind.DeniableRules()
	return ruleNames(slices.Concat(wide, unusable))
}

func ignorableRules() []string {
	_, unusable := kind.DeniableRules()
	return ruleNames(unusable)
}

func ruleNames(rules []kind.LintRuleName) []string {
	var out []string
	for _, r := range rules {
		out = append(out, string(r))
	}
	return out
}

var settings = BlockSpec{
	Type: "b2form", RootOnlyReason: "Settings hold for all of a configuration.", AtMostOnce: true,
	Doc: "Settings. All of them, and the block itself, may be left out.",
	TerraformNote: "It is the `terraform` block; there are no `required_providers`. Credentials come from the environment variables " +
		"`B2_APPLICATION_KEY_ID` and `B2_APPLICATION_KEY`, so there is no `provider` block.",
	Arguments: []ArgumentSpec{
		{Name: "required_version", Type: Text, MayReferTo: VariablesAndLocals,
			Doc: "Versions of b2form that can be used: `\">= 1.2\"`, `\"~> 1.4\"`."},
		{Name: "account_id", Type: Text, MayReferTo: VariablesAndLocals, Doc: "Refuse the credentials of any other account."},
		{Name: "allow", Type: Texts, MayReferTo: VariablesAndLocals, Choices: allowFlagValues(),
			Doc: "Hazards that `-auto-approve` carries out. Of " + codeNames(HazardNames(true)) + ", it refuses each that is named " +
				"neither here nor in `-allow`. But those of keys, " + codeNames(HazardNames(false)) + ", are only shown, except that " +
				"`revokes-access` is held back where a run destroys the key that it takes over. [Plans](../plans.md#hazards) says what " +
				"each is."},
		{Name: "deny", Type: Texts, MayReferTo: VariablesAndLocals, Choices: deniableRules(),
			Doc: "Access that is wider than it should be, or of no use to most programs: an error in every plan. [Keys](../keys.md) says " +
				"what each rule finds."},
		{Name: "ignore", Type: Texts, MayReferTo: VariablesAndLocals, Choices: ignorableRules(),
			Doc: "Rules whose warnings are not wanted, because the programs are known to work."},
	},
	Blocks: append([]BlockSpec{{
		Type: "limits", AtMostOnce: true, Doc: "How much a run may do without anybody looking: `apply -auto-approve` refuses a plan " +
			"with more, and `plan` warns of it. At a prompt, whoever answers has looked; `-expect` approves too, and " +
			"`-allow-over=destroy` lets one run do more. Each limit is a number of objects, or a share of those that the state records, " +
			"as `\"10%\"`; where it records fewer than ten, a share does not count.",
		Arguments: []ArgumentSpec{
			{Name: "destroy", Type: Share, MayReferTo: VariablesAndLocals,
				Doc: "So many objects at most are destroyed, as the plan's summary line counts them: also those that are replaced, " +
					"predecessors of a key whose overlap ended, and what interrupted runs left. Where keys rotate, leave room for one " +
					"each. The command `destroy` is consent to more."},
			{Name: "update", Type: Share, MayReferTo: VariablesAndLocals, Doc: "So many objects at most are updated in place."},
			{Name: "replace", Type: Share, MayReferTo: VariablesAndLocals,
				Doc: "So many objects at most are replaced. A rotation is none."},
		},
	}}, backends...),
	Hints: []Hint{
		{"required_providers", "Terraform block", "b2form has no providers. Delete required_providers."},
		{"cloud", "Terraform block", "b2form keeps its state in a file, in a bucket, behind a server or in a database. Write backend " +
			"\"b2\" { bucket = \"acme-states\" } instead of cloud."},
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

var backends = []BlockSpec{
	{
		Type: "backend", FormLabel: "local", AtMostOnce: true, CommonDoc: backendAbout, Doc: "A file on this machine.",
		Arguments: []ArgumentSpec{{Name: "path", Type: Text, MayReferTo: VariablesAndLocals, Default: `"b2form.state.json"`,
			Doc: "The file, relative to the configuration's folder."}},
	},
	{
		Type: "backend", FormLabel: "b2", AtMostOnce: true, CommonDoc: backendAbout,
		Doc: "A bucket, for runs on several machines. `b2form state init` makes it.",
		Arguments: []ArgumentSpec{
			{Name: "bucket", Type: Text, MayReferTo: VariablesAndLocals, Required: true, Doc: "The bucket's name."},
			{Name: "prefix", Type: Text, MayReferTo: VariablesAndLocals, Default: `"` + config.DefaultPrefix + `"`,
				Doc: "What the names of the state's objects begin with. Each state in a bucket has a prefix of its own."},
		},
	},
	httpBackend,
	{
		Type: "backend", FormLabel: "postgres", AtMostOnce: true, CommonDoc: backendAbout,
		Doc: "A PostgreSQL database. `b2form state init` makes the tables. What `conn_str` leaves out, the password above all, comes " +
			"from the variables of libpq: `PGHOST`, `PGPASSWORD`, `PGPASSFILE`, `PGSERVICE`, `PGSSLMODE` and so on.",
		Arguments: []ArgumentSpec{
			{Name: "name", Type: Text, MayReferTo: VariablesAndLocals, Required: true, Doc: "What tells the states of a schema apart."},
			{Name: "conn_str", Type: Text, MayReferTo: VariablesAndLocals,
				Doc: "Where the database is: `postgres://db.example.com/states`, " +
					"without a password. Left out, `PG_CONN_STR`."},
			{Name: "schema", Type: Text, MayReferTo: VariablesAndLocals, Default: `"b2form"`, Doc: "The schema of the tables."},
		},
		Hints: []Hint{
			{"schema_name", "Terraform argument", "Write schema."},
			{"password", "Password in the configuration", "Set PGPASSWORD, or name a file in PGPASSFILE, so that the password is in no " +
				"file here."},
		},
	},
}

var httpBackend = BlockSpec{
	Type: "backend", FormLabel: "http", AtMostOnce: true, CommonDoc: backendAbout,
	Doc: "A server of Terraform's http protocol, such as GitLab. What is left out comes from Terraform's variables of the environment, " +
		"`TF_HTTP_ADDRESS` and so on; the password is set there alone, as `TF_HTTP_PASSWORD`. In a job of GitLab its token is used. " +
		"`b2form state init` tries the server.",
	Arguments: []ArgumentSpec{
		{Name: "address", Type: Text, MayReferTo: VariablesAndLocals,
			Doc: "Where the state is: `https://example.com/states/web`. On GitLab " +
				"`https://gitlab.example.com/api/v4/projects/PROJECT/terraform/state/NAME`."},
		{Name: "update_method", Type: Text, MayReferTo: VariablesAndLocals, Doc: "How it is stored; left out, `POST`."},
		{Name: "lock_address", Type: Text, MayReferTo: VariablesAndLocals,
			Doc: "Where it is locked, often the address itself. Left out, there is no lock, and only `-lock=false` changes anything; on " +
				"GitLab it need not be said."},
		{Name: "lock_method", Type: Text, MayReferTo: VariablesAndLocals, Doc: "How it is locked; left out, `LOCK`, and on GitLab `POST`."},
		{Name: "unlock_address", Type: Text, MayReferTo: VariablesAndLocals,
			Doc: "Where the lock is given back; left out, where it is taken."},
		{Name: "unlock_method", Type: Text, MayReferTo: VariablesAndLocals,
			Doc: "How the lock is given back; left out, `UNLOCK`, and on GitLab `DELETE`."},
		{Name: "username", Type: Text, MayReferTo: VariablesAndLocals, Doc: "Who asks."},
	},
	Hints: []Hint{
		{"password", "Password in the configuration",
			"Set the variable TF_HTTP_PASSWORD in its place, so that the password is in no file."},
		{"skip_cert_verification", "Certificates are verified", "Name an authority of your own in TF_HTTP_CLIENT_CA_CERTIFICATE_PEM."},
		{"retry_max", "Set in the environment", "Set TF_HTTP_RETRY_MAX."},
		{"retry_wait_min", "Set in the environment", "Set TF_HTTP_RETRY_WAIT_MIN."},
		{"retry_wait_max", "Set in the environment", "Set TF_HTTP_RETRY_WAIT_MAX."},
		{"client_ca_certificate_pem", "Set in the environment", "Set TF_HTTP_CLIENT_CA_CERTIFICATE_PEM."},
		{"client_certificate_pem", "Set in the environment", "Set TF_HTTP_CLIENT_CERTIFICATE_PEM."},
		{"client_private_key_pem", "Private key in the configuration",
			"Set TF_HTTP_CLIENT_PRIVATE_KEY_PEM in its place, so that the key is in no file."},
	},
}
