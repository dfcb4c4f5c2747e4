package syntax

var nameLabel = []string{"name"}

// conditionArguments are those of a precondition, a postcondition, a validation and an assertion.
func conditionArguments(sees RefScope) []ArgumentSpec {
	return []ArgumentSpec{
		{Name: "condition", Type: Bool, MayReferTo: sees, Required: true, Doc: "What must be true."},
		{Name: "error_message", Type: Text, MayReferTo: sees, Required: true,
			Doc: "What is said where the condition does not hold. It is left out where it would show a sensitive value."},
	}
}

var variable = BlockSpec{
	Type: "variable", FurtherLabelNames: nameLabel,
	Doc: "A value that is given from outside: `var.NAME` in expressions. [Files](../language.md#files) says where it comes from: a " +
		"value file, the environment, the command line, the default. What has none is asked for on a terminal and is an error " +
		"elsewhere.\n\n" +
		"A text from the environment, `-var` or a terminal is taken literally where the type is string, number, bool or left out, and is " +
		"an expression otherwise, also for `any`: `-var='teams={web={days=7}}'`. Texts stand in quotes there, which must get past the " +
		"shell: `-var 'names=[\"web\"]'`, in cmd `-var \"names=[\\\"web\\\"]\"`. PowerShell before 7.3 lets none past; the variable " +
		"`B2FORM_VAR_names` and a value file need none of that.\n\n" +
		"A sensitive value, and whatever is made from it, is kept out of everything that is shown.",
	TerraformNote: "Value files are named `*.b2vars.hcl`, or `*.b2vars.hcl.json`; keep those with secrets out of git, as `*.tfvars`. " +
		"There is no `ephemeral`.",
	Arguments: []ArgumentSpec{
		{Name: "type", Type: TypeConstraint, MayReferTo: NotEvaluated, Default: "any",
			Doc: "What the value must be: `string`, `list(string)`, `object({ days = optional(number, 30) })`. Values are converted " +
				"where that loses nothing; the second argument of `optional` stands for a member that is left out."},
		{Name: "default", Type: Any, MayReferTo: Constant, Doc: "The value where none is given. Without it one must be given."},
		{Name: "description", Type: Text, MayReferTo: Constant, Doc: "What it is for; shown where the value is asked for."},
		{Name: "sensitive", Type: Bool, MayReferTo: Constant, Default: "false", Doc: "Keeps the value, and what is made from it, out of " +
			"everything that is shown."},
		{Name: "nullable", Type: Bool, MayReferTo: Constant, Default: "true", Doc: "With false, null means the default."},
	},
	Blocks: []BlockSpec{{
		Type: "validation", Doc: "A condition on the value. There may be several; each must hold. One that needs what B2 makes is " +
			"checked once that is known, by plan or at the end of apply.",
		Arguments: conditionArguments(AllButComputed),
	}},
	Hints: []Hint{{"ephemeral", "Terraform argument", "b2form stores no value of a variable, so there is nothing to be ephemeral. " +
		"Delete it; write sensitive = true to keep the value from being shown."}},
	Example: `variable "sites" {
  type        = map(object({ days = optional(number, 30), public = optional(bool, false) }))
  description = "Every site, and how long its logs are kept."
  default     = { www = {}, shop = { days = 7 } }
  validation {
    condition     = alltrue([for s in values(var.sites) : s.days > 0])
    error_message = "Logs are kept for one day at least."
  }
}

bucket "logs" {
  for_each        = var.sites
  name            = "acme-logs-${each.key}"
  lifecycle_rules = keep_prior_versions(each.value.days)
}
`,
}

var locals = BlockSpec{
	Type: "locals",
	Doc: "Values with names, for use in several places: `local.NAME` in expressions. They may refer to one another and to resources; a " +
		"file may hold several such blocks.",
	OtherArgumentsDoc: "a value; its name is of your choice",
	Example: `locals {
  prefix = "acme"
  teams  = toset(["web", "api"])
}

bucket "media" {
  for_each = local.teams
  name     = "${local.prefix}-media-${each.key}"
}
`,
}

var output = BlockSpec{
	Type: "output", FurtherLabelNames: nameLabel,
	Doc: "A value that `apply` and `b2form output` show, and what a module hands to its caller as `module.SITE.NAME`. Outputs are " +
		"stored nowhere: `b2form output` evaluates them against the live account. They are about what was applied: where the values of " +
		"variables or the files are not those of the last `apply`, or what the output is made from has another name or is gone, " +
		"`b2form output` says so and prints nothing, also not in part. The secret of a key is shown only by the run that makes the key.",
	Arguments: []ArgumentSpec{
		{Name: "value", Type: Any, MayReferTo: Everything, Required: true, Doc: "The value. Null is shown too, unlike in Terraform."},
		{Name: "description", Type: Text, MayReferTo: Constant, Doc: "What it is, for the reader."},
		{Name: "sensitive", Type: Bool, MayReferTo: Constant, Default: "false",
			Doc: "Shows the value only where it is asked for by name. A value that is made from a sensitive one needs it."},
	},
	Blocks: []BlockSpec{{
		Type: "precondition", Doc: "A condition that must hold before the output is shown.",
		Arguments: conditionArguments(Everything),
	}},
	Hints: []Hint{
		{"depends_on", "Terraform argument", "An output waits for what its value refers to. Delete depends_on."},
		{"ephemeral", "Terraform argument", "b2form stores no outputs, so there is nothing to be ephemeral. Delete it; write sensitive " +
			"= true to keep the value from being shown."},
	},
	Example: `bucket "media" {
  name = "acme-media"
}

output "media" {
  description = "Where the media are."
  value       = { bucket = bucket.media.name, endpoint = bucket.media.s3_endpoint }
  precondition {
    condition     = startswith(bucket.media.s3_region, "us-")
    error_message = "The account is in ${bucket.media.s3_region}."
  }
}
`,
}

var checkBlock = BlockSpec{
	Type: "check", FurtherLabelNames: nameLabel,
	Doc: "Something that is watched and stops nothing: `plan` and `apply` warn of what does not hold, and so does `validate` of what " +
		"it can tell without asking B2. What is not live yet is not checked, and what cannot be evaluated is a warning too.",
	TerraformNote: "Data blocks stand beside the check, not in it.",
	Blocks: []BlockSpec{{
		Type: "assert", MinCount: 1, Doc: "One thing that should be true.",
		Arguments: conditionArguments(Everything),
	}},
	Hints: []Hint{{"data", "Unsupported block type",
		"Data blocks stand beside the check, not in it. Move it to the top level of the file."}},
	Example: `bucket "archive" {
  name = "acme-archive"
}

check "private" {
  assert {
    condition     = bucket.archive.type == "allPrivate"
    error_message = "The archive is public."
  }
}
`,
}

var module = BlockSpec{
	Type: "module", FurtherLabelNames: nameLabel,
	Doc: "A folder of files that is used once or more, each time with other values. Modules may call modules. What they make has " +
		"addresses such as `module.site[\"eu\"].bucket.photos`. Buckets and keys may be handed in and out whole: who uses a bucket that " +
		"came from a module waits for that bucket, not for the whole module. Two modules cannot use outputs of each other.\n\n" +
		"In a module, `path.module` is its folder seen from the configuration's, and files are read below both; `deliver` writes beside " +
		"the module's files, unless its path is made with `path.root` or `path.module`, or comes from a variable that was: those begin " +
		"at the configuration's folder. `moved`, `removed` and `check` may stand in a module and speak of what it holds.",
	TerraformNote: "Nothing is downloaded: a module from elsewhere is copied beside the configuration. There is no `version` and no " +
		"`providers`.",
	Arguments: []ArgumentSpec{
		{Name: "source", Type: Text, MayReferTo: Constant, Required: true,
			Doc: "The folder, relative to this one, beginning with `./` or `../`."},
		forEach, count,
		{Name: "depends_on", Type: Addresses, MayReferTo: NotEvaluated,
			Doc: "Resources and modules that come before everything in the module."},
	},
	OtherArgumentsDoc: "a value for the module's variable of that name; it sees everything, and each or count",
	Hints: []Hint{
		{"version", "Terraform argument", "b2form has no version here: modules are local folders. Delete it."},
		{"providers", "Terraform argument", "b2form has no providers here: modules are local folders. Delete it."},
	},
	Example: `module "site" {
  source   = "./site"
  for_each = { eu = 30, us = 7 }
  name     = "acme-${each.key}" # the module's variables
  days     = each.value
}

output "site" {
  value = module.site["eu"].bucket.name # the module's outputs
}
# FILE site/main.b2.hcl
variable "name" {
  type = string
}

variable "days" {
  type    = number
  default = 30
}

bucket "photos" {
  name            = var.name
  lifecycle_rules = keep_prior_versions(var.days)
}

output "bucket" {
  value = bucket.photos
}
`,
}
