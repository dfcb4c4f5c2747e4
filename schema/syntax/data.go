package syntax

import "b2form/schema/kind"

// NamePrefix is the argument that narrows what data about several objects lists.
const NamePrefix = "name_prefix"

// Data lists the forms of data blocks: one object of a kind, all of them, and
// the account.
func Data(kinds []*kind.Kind) []Block {
	var out []Block
	for _, k := range kinds {
		if k.Within != "" {
			continue
		}
		out = append(out, dataOf(k.Name, "One "+k.Name+". It holds every attribute of the "+k.Name+", the computed ones too, but no secret.",
			Argument{Name: k.Identity, Type: Text, Sees: Instance, Doc: "Its " + k.Identity + ". Exactly one of `" + k.Identity + "` and `" + k.ID + "` is given."},
			Argument{Name: k.ID, Type: Text, Sees: Instance, Doc: k.Attr(k.ID).Doc}))
		if k.PartOf() == "" {
			out = append(out, dataOf(k.Plural, "All "+k.Plural+" that the credentials see. It holds `names` and `"+k.Plural+"`: lists, sorted by name.",
				Argument{Name: NamePrefix, Type: Text, Sees: Instance, Doc: "Only those whose names start with this."}))
		}
	}
	return append(out, dataOf("account", "What the credentials in use belong to. It holds `account_id`, `application_key_id`, `capabilities`, "+
		"`buckets` (those the credentials are limited to; null: to none), `name_prefix`, `realm`, `s3_endpoint`, `s3_region` and `download_url`."))
}

func dataOf(form, doc string, args ...Argument) Block {
	return Block{
		Type: "data", Form: form, Labels: name, About: dataAbout, Doc: doc, Example: dataExample,
		Terraform: "The type is the kind without `b2_`; the account is `data \"account\"`.",
		Arguments: append(args, forEach, count),
		Hints:     []Hint{{"depends_on", "Unsupported argument", "Data is read before anything is changed, so there is nothing for it to wait for. Remove depends_on."}},
	}
}

const dataAbout = "What is live and not managed here. Data is read with what a plan reads anyway, so a data block costs no request of its own; " +
	"only keys are also listed through the newest API version, the one that shows keys for several buckets. Its values are known when the " +
	"plan is made and may be used anywhere, as `data.bucket.photos.name`. `validate` asks B2 for nothing: there, data may be anything. What the " +
	"same configuration declares is referred to as `bucket.photos`; a data block finds only what existed before the run."

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
