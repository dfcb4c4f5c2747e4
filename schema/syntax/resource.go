package syntax

var forEach = ArgumentSpec{Name: "for_each", Type: Collection, MayReferTo: AllButComputed,
	Doc: "One instance for each element, `bucket.logs[\"edge\"]`. Inside, `each.key` and `each.value`. With no " +
		"element no argument of the block is evaluated. Not beside `count`."}

var count = ArgumentSpec{Name: "count", Type: Count, MayReferTo: AllButComputed,
	Doc: "So many instances, `bucket.logs[0]`. Inside, `count.index`. With 0 no argument of the block is " +
		"evaluated. Not beside `for_each`."}

// resource is what every resource takes beside the attributes of its kind.
var resource = BlockSpec{
	Type: "resource",
	Doc: "What every resource takes, whatever its kind. The kind is the block's type, as in `bucket \"photos\" { }`. All of this stands " +
		"in the block itself: there is no `lifecycle` block, since on B2 that word means rules for old files.\n\n" +
		"What is nested may be assigned as a value or written as blocks; both mean the same, and not both at once. `bucket.photos` " +
		"where a bucket is wanted means its name, and makes the one wait for the other; a plain text names a bucket that is not " +
		"managed here. What B2 makes, such as `bucket.photos.id`, may stand in outputs, checks, deliveries and postconditions and " +
		"nowhere else, whether or not it happens to be known: a configuration that works on its second run works on its first. Every " +
		"other attribute has the value that is declared, whatever is live: what is left out and left alone is null, and so is the " +
		"content of a file, which is kept nowhere. What is live is asked of [data](data.md).",
	TerraformNote: "There is no word `resource`, no `lifecycle` block around `prevent_destroy` and `ignore_changes`, no `provider` and " +
		"no `provisioner`. No postcondition is needed to find that B2 did something else than was declared: after each change b2form " +
		"compares B2's answer with the plan.",
	Arguments: []ArgumentSpec{
		forEach, count,
		{Name: "depends_on", Type: Addresses, MayReferTo: NotEvaluated,
			Doc: "Resources and modules that come first although nothing refers to " +
				"them, as `[bucket.photos, module.site]`."},
		{Name: "prevent_destroy", Type: Bool, MayReferTo: Instance, Default: "false",
			Doc: "With true no plan destroys it, not even once the block is gone.", TerraformNote: "It may be any expression."},
		{Name: "policy_exceptions", Type: TextMap, MayReferTo: Instance, Doc: "Policies that do not hold for it, by name, each with the " +
			"reason: `{ keys_expire = \"until the camera is replaced\" }`. Every plan shows them."},
		{Name: "ignore_changes", Type: Names, MayReferTo: NotEvaluated, Doc: "Arguments whose differences do not matter, as `[info, " +
			"cors_rules]`; or `all`. The object that is live keeps what it has; a new one, as after a rotation, is made as declared, and " +
			"the plan shows what changes with it."},
	},
	Blocks: append([]BlockSpec{
		{Type: "precondition", Doc: "A condition that must hold before anything is planned.", Arguments: conditionArguments(Instance)},
		{Type: "postcondition", Doc: "A condition on what came of it, as `self`: its attributes, the computed ones too, but for the " +
			"secret of a key, which is kept nowhere. What can be told without a change is told by `plan`; the rest once the resource is " +
			"made or updated, and then what needs it is not begun. What rests on another resource that is made later is told at the end " +
			"of the run, which then fails.",
			Arguments: conditionArguments(EverythingAndSelf)},
		{Type: "dynamic", FurtherLabelNames: []string{"type"},
			Doc: "Makes a nested block for each element of a collection, where the number of them is not fixed. The label is the type " +
				"of the nested block.",
			Arguments: []ArgumentSpec{
				{Name: "for_each", Type: Collection, MayReferTo: Instance, Required: true, Doc: "The collection; a list too."},
				{Name: "iterator", Type: Name, MayReferTo: NotEvaluated, Doc: "The name under which `content` sees the element, as " +
					"`NAME.key` and `NAME.value`; left out, that of the block."},
			},
			Blocks: []BlockSpec{{Type: "content", AtMostOnce: true, MinCount: 1, OtherArgumentsDoc: "an argument of the nested block",
				Doc: "What each of the blocks holds."}}},
	}, deliverForms...),
	Hints: []Hint{
		{"lifecycle", "Terraform argument", "b2form has no lifecycle block. Write prevent_destroy, ignore_changes, precondition { " +
			"} and postcondition { } directly in the block, without lifecycle { }. How long B2 keeps versions of files is said by " +
			"lifecycle_rules = keep_only_last_version() and the like."},
		unsupportedArgumentHint("provider"), unsupportedArgumentHint("provisioner"), unsupportedArgumentHint("connection"),
		unsupportedArgumentHint("timeouts"),
		{"create_before_destroy", "Terraform argument",
			"b2form makes the new key first by itself, and never replaces a bucket. Delete it."},
		{"replace_triggered_by", "Terraform argument", "b2form has no replace_triggered_by. Write b2form apply -replace=ADDRESS, or " +
			"rotate in a key. Delete it."},
	},
	Example: `bucket "logs" {
  for_each        = { edge = 7, app = 30 }
  name            = "acme-logs-${each.key}"
  prevent_destroy = each.key == "app"
  ignore_changes  = [info]

  dynamic "lifecycle_rules" {
    for_each = ["raw/", "tmp/"]
    content {
      file_name_prefix             = lifecycle_rules.value
      days_from_hiding_to_deleting = each.value
    }
  }
  precondition {
    condition     = each.value > 0
    error_message = "Keep the logs of ${each.key} for a day at least."
  }
  postcondition {
    condition     = startswith(self.s3_region, "us-")
    error_message = "The logs are in ${self.s3_region}."
  }
}
`,
}

func unsupportedArgumentHint(name string) Hint {
	return Hint{name, "Terraform argument", "b2form has no " + name + " here. Delete it."}
}

// DeliverFormats are what a delivered secret may look like without a template.
func DeliverFormats() []string {
	return append([]string{"env", "json", "rclone", "aws"}, SingleBucketFormats()...)
}

// SingleBucketFormats are those of DeliverFormats that tell a program its bucket, so that the key must be
// limited to exactly one.
func SingleBucketFormats() []string { return []string{"joplin", "restic", "kopia"} }

var (
	format = ArgumentSpec{Name: "format", Type: Text, MayReferTo: Instance, Default: `"env"`, Choices: DeliverFormats(),
		Doc: "What is written: `env` (shell variables), `json`, `rclone` (a remote), `aws` (a profile); or, for a key of one " +
			"bucket, `joplin` (settings), `restic` (an environment) or `kopia` (a token). Not beside `content`."}
	contentArgument = ArgumentSpec{Name: "content", Type: Text, MayReferTo: EverythingAndSelf,
		Doc: "A text of your own instead of a `format`, with `self.application_key_id` and `self.application_key`."}
	path = ArgumentSpec{Name: "path", Type: Text, MayReferTo: Instance, Required: true,
		Doc: "The file, relative to the folder of the block's own file; made with `path.root` or `path.module`, relative to the " +
			"configuration's folder. Only its owner may read it (mode 0600), where the file system has modes: not on Windows."}
)

const deliverAbout = "Each `deliver` block is one destination of a key's secret, which B2 shows once, when the key is made. All are " +
	"proven ready before the key is made; if one fails, the new key is deleted again. [Where a key's secret goes](../deliver.md) has " +
	"the order of things and recipes."

var deliverForms = []BlockSpec{
	{
		Type: "deliver", FormLabel: "file", CommonDoc: deliverAbout, Doc: "A file that only its owner may read.",
		Arguments: []ArgumentSpec{path, format, contentArgument},
		Example: `key "camera" {
  name   = "camera"
  access = "read_write"

  deliver "file" {
    path = "camera.env"
  }
}
`,
	},
	{
		Type: "deliver", FormLabel: "age", CommonDoc: deliverAbout, Doc: "A file that is encrypted with age and may be committed.",
		Arguments: []ArgumentSpec{path,
			{Name: "recipients", Type: Texts, MayReferTo: Instance, Required: true,
				Doc: "Who can read it: age or SSH public keys, at least one."},
			format, contentArgument},
		Example: `key "camera" {
  name   = "camera"
  access = "read_write"

  deliver "age" {
    path       = "camera.age"
    recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]
    format     = "json"
  }
}
`,
	},
	{
		Type: "deliver", FormLabel: "command", CommonDoc: deliverAbout,
		Doc: "A program that is given the secret on its standard input or in its environment. No shell is involved. What it is given " +
			"must be said: `format`, `content` or `environment`.",
		Arguments: []ArgumentSpec{
			{Name: "command", Type: Texts, MayReferTo: Instance, Required: true,
				Doc: "The program and its arguments; it runs in the folder " +
					"of the block's own file."},
			{Name: "format", Type: Text, MayReferTo: Instance, Choices: DeliverFormats(),
				Doc: "As in a file, for its standard input. Not beside " +
					"`content`."},
			{Name: "content", Type: Text, MayReferTo: EverythingAndSelf, Doc: "As in a file, for its standard input. Instead of `format`."},
			{Name: "environment", Type: TextMap, MayReferTo: EverythingAndSelf,
				Doc: "Variables of its environment beside the inherited ones."},
			{Name: "timeout", Type: Text, MayReferTo: Instance, Default: `"1m"`,
				Doc: "How long it may take: `\"30s\"`, `\"5m\"`, up to an hour."},
			{Name: "show_output", Type: Bool, MayReferTo: Instance, Default: "false",
				Doc: "Shows the last lines of what the program said where it fails. The risk: it may repeat the secret. Spellings of it " +
					"that are known are taken out, but nothing finds it twice encoded, compressed or in pieces; so switch it on to find " +
					"a mistake, not in a pipeline whose log others read."},
		},
		Example: `key "camera" {
  name   = "camera"
  access = "read_write"

  deliver "command" {
    command     = ["gh", "secret", "set", "B2_KEY"]
    content     = self.application_key
    environment = { KEY_ID = self.application_key_id }
    timeout     = "30s"
  }
}
`,
	},
	{
		Type: "deliver", FormLabel: "stdout", CommonDoc: deliverAbout, Doc: "Standard output, once.",
		Arguments: []ArgumentSpec{format, contentArgument},
		Example: `key "camera" {
  name   = "camera"
  access = "read_write"

  deliver "stdout" {
    content = "B2 key: ${self.application_key_id} ${self.application_key}"
  }
}
`,
	},
}
