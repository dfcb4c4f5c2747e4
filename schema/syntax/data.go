package syntax

import (
	"strconv"

	"b2form/schema/kind"
)

// DataNamePrefix is the argument that narrows what data about several objects lists,
// and MaxCount the one that ends it.
const (
	DataNamePrefix = "name_prefix"
	MaxCount       = "max_count"
)

// AccountForm is the form of data about the account itself.
const AccountForm = "account"

// Delimiter is the argument that ends folders, and Versions the one that lists what was
// replaced too.
const (
	Delimiter = "delimiter"
	Versions  = "show_versions"
)

// DefaultCount and MostCount are what MaxCount is where it is left out, and at
// most.
const (
	DefaultCount = 1_000
	MostCount    = 10_000
)

// DataBlocks lists the forms of data blocks: one object of a kind, all of them, and
// the account.
func DataBlocks(kinds []*kind.Kind) []BlockSpec {
	var out []BlockSpec
	for _, k := range kinds {
		switch holder := k.ParentKind(); {
		case k.ScopeAttr() != "":
			out = append(out, childDataBlocks(k)...)
		case holder != "":
			out = append(out, singleDataBlock(k, "The "+k.Plural+" of one "+holder+
				"; it may have none. It holds every attribute of the kind "+k.Name+
				", the computed ones too, but no secret. It takes one request.",
				"The "+holder+", by name or as a reference to it."))
		default:
			out = append(out, singleDataBlock(k, "One "+k.Name+". It holds every attribute of the "+k.Name+
				", the computed ones too, but no secret.",
				"Its "+k.IdentityAttr+"."),
				newDataBlock(k.Plural, "All "+k.Plural+" that the credentials see. It holds `names` and `"+k.Plural+
					"`: lists, sorted by name.",
					ArgumentSpec{Name: DataNamePrefix, Type: Text, MayReferTo: Instance, Doc: "Only those whose names start with this."}))
		}
	}
	account := newDataBlock(AccountForm, "What the credentials in use belong to. It holds `account_id`, `application_key_id`, "+
		"`capabilities`, `buckets` (those the credentials are limited to; null: to none), `name_prefix`, `realm`, `s3_endpoint`, "+
		"`s3_region`, `download_url`, and `api_url`, to which native calls go but for the one that authorizes; and the sizes of parts of "+
		"large files in bytes, for programs that are set up with them: `absolute_minimum_part_size` and `recommended_part_size`.")
	account.OwnNameByTerraformName = map[string]string{"s3_api_url": "s3_endpoint", "allowed": "capabilities, buckets or name_prefix"}
	return append(out, account)
}

// singleDataBlock is data about one object, by what identifies it or by its ID.
func singleDataBlock(k *kind.Kind, doc, identity string) BlockSpec {
	return newDataBlock(k.Name, doc,
		ArgumentSpec{Name: k.IdentityAttr, Type: Text, MayReferTo: Instance,
			Doc: identity + " Exactly one of `" + k.IdentityAttr + "` and `" + k.IDAttr + "` is given."},
		ArgumentSpec{Name: k.IDAttr, Type: Text, MayReferTo: Instance,
			Doc: k.FindAttr(k.IDAttr).Doc + " Instead of `" + k.IdentityAttr + "`."})
}

// childDataBlocks is data about what is part of another object: one, or all of one.
func childDataBlocks(k *kind.Kind) []BlockSpec {
	holder := k.FindAttr(k.ScopeAttr())
	of := ArgumentSpec{Name: k.ScopeAttr(), Type: Text, MayReferTo: Instance, Required: true,
		Doc: "The " + holder.Link.RefKind + ", by name or as a reference to it."}
	one := newDataBlock(k.Name, "One "+k.Name+" in a "+holder.Link.RefKind+". It holds every attribute of the "+k.Name+
		", the computed ones too, but not what the "+k.Name+" contains. It takes one request.",
		of, ArgumentSpec{Name: k.IdentityAttr, Type: Text, MayReferTo: Instance, Required: true, Doc: "Its " + k.IdentityAttr + "."})
	all := newDataBlock(k.Plural, "The "+k.Plural+" in a "+holder.Link.RefKind+". It holds `names` and `"+k.Plural+
		"`: lists, sorted by name; and "+
		"`folders`, with `"+Delimiter+"` only; and `complete`: false where there are more than `"+MaxCount+"`. "+
		"It takes one request, which is billed for each 1000 "+k.Plural+".",
		of, ArgumentSpec{Name: DataNamePrefix, Type: Text, MayReferTo: Instance, Doc: "Only those whose names start with this."},
		ArgumentSpec{Name: MaxCount, Type: Count, MayReferTo: Instance, Default: strconv.Itoa(DefaultCount),
			Doc: "The first so many by name, at most " + strconv.Itoa(MostCount) + ". Where there are more, a warning says so."},
		ArgumentSpec{Name: Delimiter, Type: Text, MayReferTo: Instance, Doc: "What ends the name of a folder, such as `\"/\"`: only the " +
			k.Plural + " of one level are listed, and the folders beside them, by their names from the beginning. Left out: all levels."},
		ArgumentSpec{Name: Versions, Type: Bool, MayReferTo: Instance, Default: "false",
			Doc: "Lists what was replaced too, the newest of each " +
				"name first; `file_id` tells versions apart. What only hides a " + k.Name + " is not listed."})
	all.OwnNameByTerraformName = map[string]string{"file_versions": k.Plural}
	return []BlockSpec{one, all}
}

func newDataBlock(form, doc string, args ...ArgumentSpec) BlockSpec {
	return BlockSpec{
		Type: "data", FormLabel: form, FurtherLabelNames: nameLabel, CommonDoc: dataAbout, Doc: doc, Example: dataExample,
		TerraformNote: "The type is the kind without `b2_`, or without `b2_bucket_`; the account is `data \"account\"`.",
		Arguments:     append(args, forEach, count),
		Blocks: []BlockSpec{
			{Type: "precondition", Doc: "A condition that must hold before B2 is asked.", Arguments: conditionArguments(Instance)},
			{Type: "postcondition", Doc: "A condition on the answer, as `self`. Where it does not hold nothing is planned.",
				Arguments: conditionArguments(InstanceAndSelf)},
		},
		Hints: []Hint{
			{"depends_on", "Unsupported argument", "Data is read before anything is changed, so there is nothing for it to wait for. " +
				"Remove depends_on."},
			{"lifecycle", "Terraform argument", "b2form has no lifecycle block. Write precondition { } and postcondition { } directly in " +
				"the block, without lifecycle { }."},
		},
	}
}

const dataAbout = "What is live and not managed here. Data is read with what a plan reads anyway, so a data block costs no request of " +
	"its own, but for files and notification rules; and keys are also listed through the newest API version, the one that shows keys " +
	"for several buckets. Its values are known when the plan is made and may be used anywhere, as `data.bucket.photos.name`. `validate` " +
	"asks B2 for nothing: there, data may be anything. What the same configuration declares is referred to as `bucket.photos`; a data " +
	"block finds only what existed before the run, and hides what a block or the state calls sensitive of it. A plan that destroys what " +
	"a data block names warns of it: it can be carried out, and the next one is an error at that block."

const dataExample = `data "buckets" "logs" {
  name_prefix = "acme-logs-"
}

data "account" "this" {}

key "reader" {
  for_each = toset(data.buckets.logs.names)
  name     = "reader-of-${each.key}"
  access   = "read_only"
  buckets  = [each.key]
}

output "endpoint" {
  value = data.account.this.s3_endpoint
}
`
