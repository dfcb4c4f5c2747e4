package terraform

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/internal/visible"
	"b2form/schema/addr"
	"b2form/schema/kind"
)

// carryStateAndSearchSecrets makes entries of the objects in the state whose blocks are carried over, and
// points the secrets out.
func (m *migration) carryStateAndSearchSecrets() {
	if m.state == nil {
		return
	}
	taken := map[addr.Addr]bool{}
	for _, r := range m.state.Resources {
		k := m.byType[r.Type]
		for _, i := range r.Instances {
			m.searchSecrets(r, i)
			if k == nil || r.Mode != "managed" {
				continue
			}
			what := terraformAddress(r, i)
			a, it, why := m.b2formAddress(r, i)
			e, ok := m.entry(k, a, i)
			switch {
			case why != "":
			case !ok:
				why = "The state does not say what it is. It is found by its name: b2form apply asks before it takes it over."
			case taken[a]:
				why = "The state has it twice."
			default:
				taken[a] = true
				e.PreventDestroy = m.hasPreventDestroy(it)
				m.result.Entries = append(m.result.Entries, e)
				m.result.StateRemovals = append(m.result.StateRemovals, what)
			}
			if why != "" && (it == nil || it.fate != uncarriable) { // else its block says why
				m.result.NotCarriedOver = append(m.result.NotCarriedOver, Place{File: m.state.name, Title: what, Remark: why})
			}
			if why == "" && i.Status == "tainted" {
				m.result.ChangedMeaning = append(m.result.ChangedMeaning,
					Place{File: m.state.name, Title: what, Remark: "It is tainted: Terraform would " +
						"replace it. To do that, run b2form apply -replace='" + a.String() + "'."})
			}
		}
	}
}

// hasPreventDestroy reports whether a block says prevent_destroy = true.
func (m *migration) hasPreventDestroy(it *item) bool {
	return slices.ContainsFunc(it.block.Body.Blocks, func(b *hclsyntax.Block) bool {
		return b.Type == "lifecycle" && isTrue(b.Body.Attributes["prevent_destroy"])
	})
}

// terraformAddress is the address of an object in Terraform.
func terraformAddress(r *stateResource, i *stateInstance) string {
	text := r.Type + "." + r.Name
	if r.Mode == "data" {
		text = "data." + text
	}
	if r.Module != "" {
		text = r.Module + "." + text
	}
	if key, ok := i.key(); ok {
		text += key.String()
	}
	return text
}

// mostIdentity is more bytes than the longest identity has, which is a bucket's and a file's
// name.
const mostIdentity = 2000

// entry is what our state records of an object; false: their state does not say enough.
func (m *migration) entry(k *kind.Kind, a addr.Addr, i *stateInstance) (e addr.StateEntry, complete bool) {
	e = addr.StateEntry{Addr: a, Adopted: m.Now.UTC()}
	name := i.text(terraformName(k.FindAttr(k.IdentityAttr)))
	if k.ParentKind() == "" {
		e.ID, e.Identity = i.text(terraformName(k.FindAttr(k.IDAttr))), k.NormalizeIdentity(name)
		return e, e.ID != "" && name != "" && isRecordable(e.ID) && isRecordable(name)
	}
	parentID := i.text("bucket_id")
	parent := m.state.findBucketName(parentID)
	e.ID, e.Identity = parentID, parent
	if k.ScopeAttr() != "" {
		e.ID, e.Identity = parentID+"/"+name, parent+"/"+name
	}
	e.Identity = k.NormalizeIdentity(e.Identity)
	return e, parentID != "" && parent != "" && name != "" && isRecordable(parentID) && isRecordable(e.Identity)
}

// isRecordable reports whether a text of a state may be recorded: it is short and shows as it is.
func isRecordable(text string) bool {
	return len(text) <= mostIdentity && visible.EscapeLine(text) == text
}

// terraformName is what the provider calls an attribute.
func terraformName(a *kind.Attr) string { return cmp.Or(a.TerraformName, a.Name) }

// searchSecrets points out what an object of a state holds in clear text.
func (m *migration) searchSecrets(r *stateResource, i *stateInstance) {
	what := terraformAddress(r, i)
	k := m.byType[r.Type]
	switch {
	case r.Type == "b2_account_info" && i.text("account_auth_token") != "":
		m.addSecret(m.state.name, what, "It is a token of the account, which ends by itself within 24 hours of the last run.")
	case k == nil || r.Mode != "managed":
	case k.Credential != nil && i.text("application_key") != "":
		do := fmt.Sprintf("Make another key in its place and delete the key with the ID %s.", i.text("application_key_id"))
		if a, _, why := m.b2formAddress(r, i); why == "" {
			do = "b2form apply -replace='" + a.String() + "'"
		}
		m.addSecret(m.state.name, what, do)
	default:
		if held := configuredSecretNames(i); len(held) > 0 {
			m.addSecret(m.state.name, what, "Give "+held[0]+" another value, also where it is checked.")
		}
	}
}

// configuredSecretNames are the names of members that hold secrets which somebody gave.
func configuredSecretNames(i *stateInstance) (found []string) {
	visitConfiguredSecrets(i, func(name, _ string) { found = append(found, name) })
	slices.Sort(found)
	return slices.Compact(found)
}

// visitConfiguredSecrets hands on the secrets that somebody gave, with the names of the members that hold them.
func visitConfiguredSecrets(i *stateInstance, found func(name, text string)) {
	for _, raw := range i.Attributes {
		visitJSON(raw, func(v any) {
			object, _ := v.(map[string]any)
			for _, name := range []string{"hmac_sha256_signing_secret", "secret_b64"} {
				if text, _ := object[name].(string); text != "" {
					found(name, text)
				}
			}
		})
	}
}

// visitJSON hands on all values in JSON.
func visitJSON(raw json.RawMessage, visit func(v any)) {
	var within func(v any)
	within = func(v any) {
		visit(v)
		switch v := v.(type) {
		case map[string]any:
			for _, inner := range v {
				within(inner)
			}
		case []any:
			for _, inner := range v {
				within(inner)
			}
		}
	}
	var v any
	if json.Unmarshal(raw, &v) == nil {
		within(v)
	}
}

func (m *migration) addSecret(file, what, howToReplace string) {
	m.result.Secrets = append(m.result.Secrets, SecretInState{File: file, What: what, HowToReplace: howToReplace})
}

// reportSecretsInBackup points out the keys whose secrets an earlier state holds.
func (m *migration) reportSecretsInBackup(b Source) {
	s, err := parseState(b.Name, b.Text)
	if err != nil {
		m.result.ChangedMeaning = append(m.result.ChangedMeaning, Place{File: b.Name, Title: "earlier state",
			Remark: "It could not be searched for secrets. Delete it once Terraform needs it no more."})
		return
	}
	for _, r := range s.Resources {
		k := m.byType[r.Type]
		for _, i := range r.Instances {
			if k == nil || k.Credential == nil || r.Mode != "managed" || i.text("application_key") == "" {
				continue
			}
			m.addSecret(b.Name, terraformAddress(r, i), "Replace the key with the ID "+i.text("application_key_id")+
				", if B2 still has it; delete the file.")
		}
	}
}
